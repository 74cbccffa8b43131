-- A random sample with the classes in proportion.
create function smartdb.sample_stratified(n integer, seed bigint, predicate text default 'true')
returns table (media_id bigint, score double precision, reason text)
language sql stable
begin atomic
    with candidate as (
        select
            w.media_id, c.class,
            row_number() over (
                partition by c.class order by hashint8extended(w.media_id, seed), w.media_id
            ) as place,
            count(*) over (partition by c.class) as n_class
        from smartdb.media_where(predicate) as w
        left join smartdb.media_class as c on c.media_id = w.media_id
    )
    select media_id, (place - 0.5) / n_class, 'stratum ' || coalesce(class, 'unlabelled')
    from candidate
    order by (place - 0.5) / n_class, hashint8extended(media_id, seed), media_id
    limit n;
end;
comment on function smartdb.sample_stratified(integer, bigint, text) is
    'n media with every class (and the unlabelled) in proportion to the candidates; same seed, same media.';

-- example:
--   select reason, count(*) from smartdb.sample_stratified(5, 7) group by reason order by reason
-- result:
--   stratum cat | 1
--   stratum dog | 3
--   stratum unlabelled | 1
