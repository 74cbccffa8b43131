-- The shares of the classes in two parts of the media; what has no class does not count.
create function smartdb.drift_class(
    predicate_a text, predicate_b text, n integer default 20000, seed bigint default 0
)
returns table (
    class text, n_a bigint, n_b bigint, share_a double precision, share_b double precision
)
language sql stable
begin atomic
    with chosen as (
        select true as is_a, a.media_id from smartdb.sample_random(n, seed, predicate_a) as a
        union all
        select false, b.media_id from smartdb.sample_random(n, seed + 1, predicate_b) as b
    ),
    counted as (
        select
            c.class, count(*) filter (where s.is_a) as n_a, count(*) filter (where not s.is_a) as n_b
        from chosen as s
        join smartdb.media_class as c on c.media_id = s.media_id
        group by c.class
    )
    select
        k.class, k.n_a, k.n_b,
        coalesce(k.n_a / nullif(sum(k.n_a) over (), 0)::double precision, 0),
        coalesce(k.n_b / nullif(sum(k.n_b) over (), 0)::double precision, 0)
    from counted as k
    order by 1;
end;
comment on function smartdb.drift_class(text, text, integer, bigint) is
    'How many of at most n media of each part, at random, count as each class, and their shares among those with a class. Both '
    'are conditions on smartdb.media, read as m.';

-- example:
--   select * from smartdb.drift_class('m.media_id <= 6', 'm.media_id > 4')
-- result:
--   cat | 3 | 0 | 0.5 | 0
--   dog | 3 | 6 | 0.5 | 1
