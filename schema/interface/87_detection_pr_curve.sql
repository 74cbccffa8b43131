-- Precision and recall of detections at every confidence.
create function smartdb.detection_pr_curve(
    run bigint, class text, iou double precision default 0.5, predicate text default 'true'
)
returns table (
    confidence real, n_right bigint, n_counted bigint, "precision" double precision, recall double precision,
    f1 double precision
)
language sql stable
begin atomic
    with level as (select (smartdb.detection_levels(run, coalesce(iou, 0.5)))[1] as at),
    chosen as materialized (select w.media_id from smartdb.media_where(predicate) as w),
    truth as (
        select count(*) as n
        from smartdb.detection_truth as t
        where
            t.run_id = run and t.class = detection_pr_curve.class and not t.is_crowd
            and (predicate = 'true' or t.media_id in (select c.media_id from chosen as c))
    ),
    found as (
        select m.confidence, sum((m.right_at[1] >> v.at) & 1) as n_right, count(*) as n_counted
        from smartdb.detection_match as m, level as v
        where
            m.run_id = run and m.class = detection_pr_curve.class and m.rank < 100 and (m.ignored_at[1] >> v.at) & 1 = 0
            and (predicate = 'true' or m.media_id in (select c.media_id from chosen as c))
        group by m.confidence
    ),
    above as (
        select f.confidence, sum(f.n_right) over best_first as n_right, sum(f.n_counted) over best_first as n_counted
        from found as f window best_first as (order by f.confidence desc)
    )
    select
        a.confidence, a.n_right::bigint as n_right, a.n_counted::bigint as n_counted,
        (a.n_right / a.n_counted)::double precision as "precision",
        a.n_right::double precision / t.n as recall,
        2.0::double precision * a.n_right::double precision / (a.n_counted + t.n)::double precision as f1
    from above as a cross join truth as t
    where t.n > 0
    order by a.confidence desc;
end;
comment on function smartdb.detection_pr_curve(bigint, text, double precision, text) is
    'Precision, recall and F1 of a class when detections of this confidence and above are taken; the best threshold: order by f1 desc limit 1.';

-- example:
--   select confidence, "precision", recall, f1 from smartdb.detection_pr_curve(
--   (select max(e.run_id) from smartdb.detection_evaluation as e), 'cat')
-- result:
--   0.6 | 1 | 0.5 | 0.6667
