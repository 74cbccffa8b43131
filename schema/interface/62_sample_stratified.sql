-- A random sample with the classes, or whatever else, in proportion.
create function smartdb.sample_stratified(
    n integer, seed bigint, predicate text default 'true', stratum text default null
)
returns table (media_id bigint, score double precision, reason text)
language sql stable
begin atomic
    select s.media_id, s.score, s.reason
    from smartdb.sample_in_ratio(n, seed, predicate, stratum, null) as s;
end;
comment on function smartdb.sample_stratified(integer, bigint, text, text) is
    'n media with every stratum in proportion to the candidates; same seed, same media. The strata are the classes and '
    'the unlabelled, or the values of an expression on smartdb.media, read as m, such as m.source.';

-- example:
--   select reason, count(*) from smartdb.sample_stratified(5, 7) group by reason order by reason
-- result:
--   stratum cat | 1
--   stratum dog | 3
--   stratum unlabelled | 1
