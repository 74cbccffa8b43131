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
    with truth as (
        select t.class_id, count(*) as n
        from smartdb.detection_truth as t
        where
            t.run_id = run and t.class = detection_pr_curve.class and not t.is_crowd
            and (predicate = 'true' or t.media_id in (select w.media_id from smartdb.media_where(predicate) as w))
        group by t.class_id
    )
    select
        d.confidence, max(d.n_right) as n_right, max(d.n_counted) as n_counted,
        max(d.n_right)::double precision / max(d.n_counted) as "precision",
        max(d.n_right)::double precision / t.n as recall,
        2.0::double precision * max(d.n_right) / (max(d.n_counted) + t.n) as f1
    from smartdb.detection_count(run, coalesce(iou, 0.5), 'all', 100, predicate) as d
    join truth as t on t.class_id = d.class_id
    group by d.confidence, t.n
    order by d.confidence desc;
end;
comment on function smartdb.detection_pr_curve(bigint, text, double precision, text) is
    'Precision, recall and F1 of a class when detections of this confidence and above are taken; the best threshold: order by f1 desc limit 1.';

-- example:
--   select confidence, "precision", recall, f1 from smartdb.detection_pr_curve(
--   (select max(e.run_id) from smartdb.detection_evaluation as e), 'cat')
-- result:
--   0.6 | 1 | 0.5 | 0.6667
