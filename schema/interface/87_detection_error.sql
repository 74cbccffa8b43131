-- What is wrong with each wrong detection, and what was missed (TIDE, Bolya et al. 2020).
create function smartdb.detection_error(
    run bigint, iou double precision default 0.5, confidence real default 0
)
returns table (
    kind text, media_id bigint, class text, other_class text, confidence real,
    predicted_label_id bigint, label_id bigint
)
language sql stable
begin atomic
    with bit as (select (smartdb.detection_levels(run, iou))[1] as at)
    select
        case
            when m.iou_other >= iou and m.iou_same < iou then 'classification'
            when m.iou_same >= iou then 'duplicate'
            when m.iou_same >= 0.1 then 'localisation'
            when m.iou_other >= 0.1 then 'both'
            else 'background'
        end as kind,
        m.media_id, m.class, case when m.iou_other >= 0.1 and m.iou_other >= m.iou_same then m.other_class end as other_class,
        m.confidence, m.predicted_label_id, null::bigint as label_id
    from smartdb.detection_match as m, bit as b
    where
        m.run_id = run and m.confidence >= detection_error.confidence and m.rank < 100
        and (m.right_at[1] >> b.at) & 1 = 0 and (m.ignored_at[1] >> b.at) & 1 = 0
    union all
    select 'missed', t.media_id, t.class, null, null, null, t.label_id
    from smartdb.detection_truth as t, bit as b
    where
        t.run_id = run and not t.is_crowd and (t.found_at >> b.at) & 1 = 0
        and not (t.iou_same >= 0.1 and t.iou_same < iou) and t.iou_other < iou;
end;
comment on function smartdb.detection_error(bigint, double precision, real) is
    'Wrong detections of an evaluation from a confidence on, by TIDE''s kinds at an IoU: classification (an object of other_class), '
    'localisation (IoU 0.1 and more), both, duplicate (the object is taken), background; and labels that were missed, without '
    'those that one of the first two kinds explains (missed counts detections of any confidence).';

-- example:
--   select kind, media_id, class from smartdb.detection_error(
--   (select max(e.run_id) from smartdb.detection_evaluation as e)) order by media_id
-- result:
--   missed | 7 | cat
--   background | 9 | dog
