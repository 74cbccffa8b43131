-- Labels that detections were matched with.
create view smartdb.detection_truth as
select
    t.run_id, t.label_id, t.media_id, c.name as class, t.class_id, t.area, t.is_crowd, t.found_at, t.iou_same, t.iou_other
from core.detection_truth as t
left join core.class as c on c.class_id = t.class_id;

comment on view smartdb.detection_truth is 'Labels that detections were matched with. Always name an evaluation: where run_id = ...';
comment on column smartdb.detection_truth.run_id is 'The evaluation.';
comment on column smartdb.detection_truth.label_id is 'The label row.';
comment on column smartdb.detection_truth.media_id is 'Its media.';
comment on column smartdb.detection_truth.class is 'Name of the class.';
comment on column smartdb.detection_truth.class_id is 'Its class.';
comment on column smartdb.detection_truth.area is 'Pixels in its outline, or in its box.';
comment on column smartdb.detection_truth.is_crowd is 'Whether it stands for many: what lies in it does not count.';
comment on column smartdb.detection_truth.found_at is 'Bit i is set if a detection takes it at IoU 0.5 + 0.05 i.';
comment on column smartdb.detection_truth.iou_same is 'Largest IoU with a detection of its class.';
comment on column smartdb.detection_truth.iou_other is 'Largest IoU with a detection of another class.';

-- example:
--   select media_id, class, area, found_at from smartdb.detection_truth order by media_id
-- result:
--   7 | cat | 150 | 0
--   8 | cat | 200 | 31
