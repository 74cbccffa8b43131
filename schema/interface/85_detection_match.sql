-- Detections, matched with the labels of their media.
create view smartdb.detection_match as
select
    m.run_id, m.predicted_label_id, m.media_id, c.name as class, m.class_id, m.confidence, m.rank,
    m.right_at, m.ignored_at, m.label_id, m.iou_same, m.iou_other, o.name as other_class
from core.detection_match as m
left join core.class as c on c.class_id = m.class_id
left join core.class as o on o.class_id = m.other_class_id;

comment on view smartdb.detection_match is 'Detections, matched with the labels of their media. Always name an evaluation: where run_id = ...';
comment on column smartdb.detection_match.run_id is 'The evaluation.';
comment on column smartdb.detection_match.predicted_label_id is 'The detection.';
comment on column smartdb.detection_match.media_id is 'Its media.';
comment on column smartdb.detection_match.class is 'Name of the class.';
comment on column smartdb.detection_match.class_id is 'Its class.';
comment on column smartdb.detection_match.confidence is 'How sure the model was.';
comment on column smartdb.detection_match.rank is 'Its place among those of its media and class, the most confident 0.';
comment on column smartdb.detection_match.right_at is 'Bits where it is right, for the areas all, small, medium, large.';
comment on column smartdb.detection_match.ignored_at is 'Bits where it does not count (a crowd, another size), for the same areas.';
comment on column smartdb.detection_match.label_id is 'The label that it takes at IoU 0.5.';
comment on column smartdb.detection_match.iou_same is 'Largest IoU with a label of its class.';
comment on column smartdb.detection_match.iou_other is 'Largest IoU with a label of another class.';
comment on column smartdb.detection_match.other_class is 'The class of that label.';

-- example:
--   select media_id, class, confidence, iou_same from smartdb.detection_match order by media_id
-- result:
--   8 | cat | 0.6 | 0.7
--   9 | dog | 0.5 | 0
