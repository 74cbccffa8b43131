-- Accuracy of a run on slices: classes, sources, quarters of the pixel statistics, and named slices.
create function smartdb.slice_metric(run bigint, split text default 'test')
returns table (
    facet text, slice text, n bigint, n_wrong bigint, accuracy double precision,
    difference double precision, z double precision
)
language sql stable
begin atomic
    with judged as (
        select p.media_id, p.class, p.is_correct
        from smartdb.prediction as p
        where p.run_id = run and p.split = slice_metric.split and p.is_correct is not null
    ),
    described as (
        select
            j.media_id, j.class, j.is_correct, m.source,
            1 + least(floor(4 * percent_rank() over (order by m.brightness)), 3) as brightness,
            1 + least(floor(4 * percent_rank() over (order by m.contrast)), 3) as contrast,
            1 + least(floor(4 * percent_rank() over (order by m.sharpness)), 3) as sharpness,
            1 + least(floor(4 * percent_rank() over (order by m.entropy)), 3) as entropy
        from judged as j join smartdb.media as m on m.media_id = j.media_id
    ),
    member as (
        select f.facet, f.slice, d.is_correct
        from described as d
        cross join lateral (values
            ('class', d.class), ('source', d.source),
            ('brightness', 'quarter ' || d.brightness), ('contrast', 'quarter ' || d.contrast),
            ('sharpness', 'quarter ' || d.sharpness), ('entropy', 'quarter ' || d.entropy)
        ) as f (facet, slice)
        union all
        select 'slice', s.name, j.is_correct
        from smartdb.slice as s
        cross join lateral smartdb.slice_item(s.name) as i
        join judged as j on j.media_id = i.media_id
    ),
    overall as (
        select avg(is_correct::integer)::double precision as accuracy from judged
    ),
    counted as (
        select facet, slice, count(*) as n, count(*) filter (where not is_correct) as n_wrong
        from member group by facet, slice
    )
    select
        c.facet, c.slice, c.n, c.n_wrong, 1 - c.n_wrong / c.n::double precision,
        1 - c.n_wrong / c.n::double precision - o.accuracy,
        (1 - c.n_wrong / c.n::double precision - o.accuracy)
        / nullif(sqrt(o.accuracy * (1 - o.accuracy) / c.n), 0)
    from counted as c cross join overall as o;
end;
comment on function smartdb.slice_metric(bigint, text) is
    'Accuracy of a run on slices of a split: each class and source, quarters (1 lowest, 4 highest) of brightness, contrast, '
    'sharpness and entropy, and the named slices; difference from the whole, and z, how many standard errors that is.';

-- example:
--   select * from smartdb.slice_metric(4) where facet in ('class', 'slice') order by facet,
--   slice
-- result:
--   class | cat | 1 | 1 | 0 | -0.3333 | -0.7071
--   class | dog | 2 | 1 | 0.5 | 0.1667 | 0.5
--   slice | dim | 2 | 2 | 0 | -0.3333 | -1
--   slice | odd ones | 1 | 1 | 0 | -0.3333 | -0.7071
