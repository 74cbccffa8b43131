-- How far the pixel statistics of two parts of the media are apart. ks is the two-sample distance
-- of Smirnov, exact with ties (a window's peers count together); psi is over the deciles of a,
-- an empty one counted as a share of 0.0001.
create function smartdb.drift_quality(
    predicate_a text, predicate_b text, n integer default 20000, seed bigint default 0
)
returns table (statistic text, ks double precision, psi double precision, n_a bigint, n_b bigint)
language sql stable
begin atomic
    with chosen as (
        select true as is_a, a.media_id from smartdb.sample_random(n, seed, predicate_a) as a
        union all
        select false, b.media_id from smartdb.sample_random(n, seed + 1, predicate_b) as b
    ),
    value as (
        select c.is_a, s.statistic, s.x::double precision as x
        from chosen as c
        join smartdb.media as m on m.media_id = c.media_id
        cross join lateral (values
            ('brightness', m.brightness), ('contrast', m.contrast), ('sharpness', m.sharpness),
            ('entropy', m.entropy), ('colourfulness', m.colourfulness)
        ) as s (statistic, x)
        where s.x is not null
    ),
    size as (
        select v.statistic, count(*) filter (where v.is_a) as n_a, count(*) filter (where not v.is_a) as n_b
        from value as v group by v.statistic
    ),
    both_sided as (select z.statistic, z.n_a, z.n_b from size as z where z.n_a > 0 and z.n_b > 0),
    gap as (
        select
            v.statistic,
            abs(
                sum(v.is_a::integer) over up_to / z.n_a::double precision
                - sum((not v.is_a)::integer) over up_to / z.n_b::double precision
            ) as height
        from value as v join both_sided as z on z.statistic = v.statistic
        window up_to as (partition by v.statistic order by v.x)
    ),
    decile as (
        select
            v.statistic,
            percentile_cont('{0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9}'::double precision[])
                within group (order by v.x) as edges
        from value as v where v.is_a group by v.statistic
    ),
    bin as (
        select
            v.statistic,
            greatest(count(*) filter (where v.is_a) / z.n_a::double precision, 0.0001) as share_a,
            greatest(count(*) filter (where not v.is_a) / z.n_b::double precision, 0.0001) as share_b
        from value as v
        join both_sided as z on z.statistic = v.statistic
        join decile as d on d.statistic = v.statistic
        group by v.statistic, width_bucket(v.x, d.edges), z.n_a, z.n_b
    )
    select
        z.statistic,
        (select max(g.height) from gap as g where g.statistic = z.statistic),
        (select sum((b.share_b - b.share_a) * ln(b.share_b / b.share_a)) from bin as b where b.statistic = z.statistic),
        z.n_a, z.n_b
    from both_sided as z
    order by 2 desc, 1;
end;
comment on function smartdb.drift_quality(text, text, integer, bigint) is
    'How far b is from the reference a in each pixel statistic, on at most n media of each at random, the same for the same '
    'seed: the Kolmogorov-Smirnov distance and the population stability index. Both are conditions on smartdb.media, read as m.';

-- example:
--   select * from smartdb.drift_quality('m.media_id <= 6', 'm.media_id > 4') limit 2
-- result:
--   brightness | 0.7143 | 6.077 | 6 | 7
--   entropy | 0.7143 | 6.077 | 6 | 7
