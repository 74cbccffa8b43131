-- Sets of predictions, and what each is judged against.
create view smartdb.evaluation as
select
    e.run_id, m.name as model, d.name as dataset, e.version, e.revision,
    (
        select array_agg(c.name order by u.place)
        from unnest(e.class_ids) with ordinality as u (class_id, place)
        join core.class as c on c.class_id = u.class_id
    ) as classes
from core.evaluation as e
left join core.model as m on m.model_id = e.model_id
left join core.dataset as d on d.dataset_id = e.dataset_id;

comment on view smartdb.evaluation is 'Sets of predictions, and what each is judged against.';
comment on column smartdb.evaluation.run_id is 'The run that predicted.';
comment on column smartdb.evaluation.model is 'Name of the model; null for out-of-fold predictions, which many models made.';
comment on column smartdb.evaluation.dataset is 'Dataset whose splits apply; null: no splits.';
comment on column smartdb.evaluation.version is 'Version of that dataset.';
comment on column smartdb.evaluation.revision is 'The truth is the labels live at this revision.';
comment on column smartdb.evaluation.classes is 'The classes, in the order of the probabilities.';

-- example:
--   select run_id, model, dataset, version, classes from smartdb.evaluation order by run_id
-- result:
--   4 | pets | pets | 1 | ['cat', 'dog']
--   5 | pets | pets | 2 | ['cat', 'dog']
