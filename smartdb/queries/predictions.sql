-- name: dataset_id
-- The identity of a dataset that has this version, sealed.
select v.dataset_id from smartdb.dataset_version as v
where v.dataset = %(dataset)s and v.version = %(version)s and v.sealed_at is not null;

-- name: unknown_classes
-- Those of these classes that there are not.
select u.class_id from unnest(%(class_ids)s::bigint[]) as u (class_id)
where not exists (select from core.class as c where c.class_id = u.class_id)
order by u.class_id;

-- name: evaluate
-- Says which model a run predicts with, and what its predictions are judged against.
insert into core.evaluation (run_id, model_id, dataset_id, version, revision, class_ids)
values (%(run_id)s, %(model_id)s, %(dataset_id)s, %(version)s, %(revision)s, %(class_ids)s);

-- name: add_partition
-- Makes the table for the predictions of a run.
select core.add_prediction_partition(%(run_id)s);

-- name: unknown_media
-- Those of the copied predictions whose media there is not, or is hidden.
select s.media_id from pg_temp.copied_prediction as s
where not exists (select from core.media as m where m.media_id = s.media_id)
order by s.media_id;

-- name: analyse
-- Tells the planner how many there are.
analyze pg_temp.copied_prediction;

-- name: insert
-- Moves the copied predictions to their run, each beside the truth it is judged against.
insert into core.prediction (
    run_id, media_id, class_id, probability, confidence, margin, entropy,
    true_label_id, true_class_id, split
)
select
    %(run_id)s, s.media_id, s.class_id, s.probability, s.confidence, s.margin, s.entropy,
    t.label_id, t.class_id, i.split
from pg_temp.copied_prediction as s
left join smartdb.media_class_at(%(revision)s) as t on t.media_id = s.media_id
left join core.dataset_item as i
    on i.dataset_id = %(dataset_id)s and i.media_id = s.media_id
    and i.version_from <= %(version)s and (i.version_to is null or i.version_to > %(version)s)
order by s.media_id;

-- name: analyse_partition
-- Statistics for whoever reads the predictions of the run next.
select core.analyse(('core.prediction_' || %(run_id)s::bigint)::regclass);
