-- A random sample with as many of each class as there are.
create function smartdb.sample_balanced(n integer, seed bigint, predicate text default 'true')
returns table (media_id bigint, score double precision, reason text)
language sql stable
begin atomic
    with candidate as (
        select
            w.media_id, c.class,
            row_number() over (
                partition by c.class order by hashint8extended(w.media_id, seed), w.media_id
            ) as place
        from smartdb.media_where(predicate) as w
        join smartdb.media_class as c on c.media_id = w.media_id
    )
    select media_id, place::double precision, 'class ' || class
    from candidate
    order by place, hashint8extended(media_id, seed), media_id
    limit n;
end;
comment on function smartdb.sample_balanced(integer, bigint, text) is
    'n labelled media, the same number of each class as long as a class has any left; same seed, same media.';

-- example:
--   select reason, count(*) from smartdb.sample_balanced(6, 7) group by reason order by reason
-- result:
--   class cat | 3
--   class dog | 3
