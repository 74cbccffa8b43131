-- A random sample with as many of each class as there are, or with the classes in a given ratio.
create function smartdb.sample_balanced(
    n integer, seed bigint, predicate text default 'true', ratio jsonb default null,
    stratum text default null
)
returns table (media_id bigint, score double precision, reason text)
language sql stable
begin atomic
    select s.media_id, s.score, s.reason
    from smartdb.sample_in_ratio(n, seed, predicate, stratum, coalesce(ratio, '{}')) as s;
end;
comment on function smartdb.sample_balanced(integer, bigint, text, jsonb, text) is
    'n labelled media, the same number of each class, or the classes in a ratio such as {"cat": 3, "dog": 1}, and none of '
    'a class that it does not name. Where a class has no more the others go on. Instead of classes an expression on '
    'smartdb.media, read as m, may be given as stratum. SD001 for an unknown class, SD002 for a ratio below 0.';

-- example:
--   select reason, count(*) from smartdb.sample_balanced(6, 7, ratio => '{"cat": 1, "dog": 2}') group by reason order by reason
-- result:
--   class cat | 2
--   class dog | 4
