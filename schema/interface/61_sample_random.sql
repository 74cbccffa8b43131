-- A random sample: the same seed on the same media chooses the same.
create function smartdb.sample_random(n integer, seed bigint, predicate text default 'true')
returns table (media_id bigint, score double precision, reason text)
language sql stable
begin atomic
    with chosen as (
        select c.media_id
        from smartdb.media_where(predicate) as c
        order by hashint8extended(c.media_id, seed), c.media_id
        limit smartdb.sample_size(n)
    )
    select c.media_id, 0::double precision, 'random' || smartdb.sample_note(count(*) over (), n)
    from chosen as c
    order by hashint8extended(c.media_id, seed), c.media_id;
end;
comment on function smartdb.sample_random(integer, bigint, text) is
    'n media at random, the same for the same seed; predicate is a condition on smartdb.media, read as m.';

-- example:
--   select * from smartdb.sample_random(3, 7, 'm.brightness < 0.5')
-- result:
--   9 | 0 | random
--   1 | 0 | random
--   2 | 0 | random
