-- Average precision and recall of each class, as COCO defines them, on any media.
create function smartdb.average_precision(
    run bigint, iou double precision default null, area text default 'all',
    max_detections integer default 100, predicate text default 'true'
)
returns table (
    class text, class_id bigint, n_truth bigint, average_precision double precision, average_recall double precision
)
language plpgsql stable as $$
#variable_conflict use_column
declare
    levels constant integer[] := smartdb.detection_levels(run, iou);
    every constant integer := (select sum(1 << v.level) from unnest(levels) as v (level));
    place constant integer := array_position(array['all', 'small', 'medium', 'large'], area);
    low constant double precision := case area when 'medium' then 1024 when 'large' then 9216 else 0 end;
    high constant double precision := case area when 'small' then 1024 when 'medium' then 9216 else 1e10 end;
begin
    if place is null then
        raise exception 'no area %', coalesce(area, 'null')
            using errcode = 'SD002', hint = 'say all, small, medium or large';
    end if;
    return query
    with chosen as materialized (select w.media_id from smartdb.media_where(predicate) as w),
    truth as (
        select t.class_id, min(t.class) as class, count(*) as n
        from smartdb.detection_truth as t
        where
            t.run_id = run and not t.is_crowd and t.area between low and high
            and (predicate = 'true' or t.media_id in (select c.media_id from chosen as c))
        group by t.class_id
    ),
    ordered as ( -- sorted once for all levels
        select
            m.class_id, m.right_at[place] as right_at, m.ignored_at[place] as ignored_at,
            row_number() over (partition by m.class_id order by m.confidence desc, m.media_id, m.rank) as n_so_far
        from smartdb.detection_match as m
        where
            m.run_id = run and m.rank < max_detections and m.ignored_at[place] & every <> every
            and (predicate = 'true' or m.media_id in (select c.media_id from chosen as c))
    ),
    marked as ( -- all others are wrong, and count
        select
            o.class_id, v.level, (o.ignored_at >> v.level) & 1 = 0 as is_right,
            sum((o.right_at & ~o.ignored_at) >> v.level & 1) over best_first as n_right,
            o.n_so_far - sum((o.ignored_at >> v.level) & 1) over best_first as n_counted
        from ordered as o
        cross join unnest(levels) as v (level)
        where ((o.right_at | o.ignored_at) >> v.level) & 1 = 1
        window best_first as (partition by o.class_id, v.level order by o.n_so_far rows unbounded preceding)
    ),
    hit as (
        select
            d.class_id, d.level, d.n_right, t.n,
            max(d.n_right::double precision / d.n_counted)
                over (partition by d.class_id, d.level order by d.n_right desc) as precision
        from marked as d
        join truth as t on t.class_id = d.class_id
        where d.is_right
    ),
    step as ( -- how many of COCO's 101 points of recall are reached by it
        select
            h.class_id, h.level, h.precision, h.n_right, h.n,
            f.i + 1 + ((f.i + 1) * 0.01::double precision <= f.recall)::integer
            - (f.i * 0.01::double precision > f.recall)::integer as reached
        from hit as h
        cross join lateral (
            select h.n_right::double precision / h.n as recall, (h.n_right * 100 / h.n)::integer as i
        ) as f
    ),
    part as (
        select
            s.class_id, s.level, s.n_right::double precision / s.n as recall,
            s.precision * (s.reached - coalesce(lag(s.reached) over (partition by s.class_id, s.level order by s.n_right), 0))
                as area
        from step as s
    ),
    by_level as (
        select p.class_id, p.level, sum(p.area) / 101 as precision, max(p.recall) as recall
        from part as p group by p.class_id, p.level
    )
    select
        t.class, t.class_id, t.n, coalesce(sum(b.precision), 0) / cardinality(levels),
        coalesce(sum(b.recall), 0) / cardinality(levels)
    from truth as t
    left join by_level as b on b.class_id = t.class_id
    group by t.class, t.class_id, t.n
    order by t.class;
end
$$;
comment on function smartdb.average_precision(bigint, double precision, text, integer, text) is
    'Average precision (COCO, 101 points) and the recall reached of each class that is there, of an evaluation: at an IoU of 0.5, '
    '0.55, ... 0.95, or their mean (null), for objects of an area (all, small, medium, large), with so many detections a media and '
    'class, on the media that fulfil a predicate. COCO''s AP is the mean over classes. Equal to pycocotools.';

-- example:
--   select class, n_truth, average_precision, average_recall from smartdb.average_precision(
--   (select max(e.run_id) from smartdb.detection_evaluation as e), 0.5)
-- result:
--   cat | 2 | 0.505 | 0.5
