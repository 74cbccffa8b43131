-- Evaluations of detections: what was matched with which labels.
create view smartdb.detection_evaluation as
select
    e.run_id, e.predictions_run_id, o.name as ontology, e.revision, d.name as dataset, e.version, e.split,
    r.started_at, r.counts
from core.detection_evaluation as e
join core.ontology as o using (ontology_id)
join core.run as r using (run_id)
left join core.dataset as d using (dataset_id);

comment on view smartdb.detection_evaluation is 'Evaluations of detections; ask them with average_precision(run_id), detection_pr_curve, detection_error.';
comment on column smartdb.detection_evaluation.run_id is 'The run that matched.';
comment on column smartdb.detection_evaluation.predictions_run_id is 'The run whose detections they are.';
comment on column smartdb.detection_evaluation.ontology is 'Whose labels are the truth.';
comment on column smartdb.detection_evaluation.revision is 'At which the labels were read.';
comment on column smartdb.detection_evaluation.dataset is 'The dataset whose media were judged.';
comment on column smartdb.detection_evaluation.version is 'Its version.';
comment on column smartdb.detection_evaluation.split is 'Its split.';
comment on column smartdb.detection_evaluation.started_at is 'When.';
comment on column smartdb.detection_evaluation.counts is 'How many, and COCO''s twelve numbers.';

-- example:
--   select ontology, dataset, counts ->> 'AP50' as ap50 from smartdb.detection_evaluation
-- result:
--   animals | None | 0.5
