-- Training runs with what they were trained on and how well they did.
create view smartdb.training_run as
select
    r.run_id, r.status, m.model_id, m.name as model, d.name as dataset, m.version,
    en.name as encoder, r.seed, r.parameters,
    (
        select array_agg(c.name order by u.place)
        from unnest(m.class_ids) with ordinality as u (class_id, place)
        join core.class as c on c.class_id = u.class_id
    ) as classes,
    (
        select x.value from core.metric as x
        where x.run_id = r.run_id and x.name = 'accuracy' and x.split = 'test' and x.step is null
    ) as test_accuracy,
    m.uri, encode(m.sha256, 'hex') as sha256, r.started_at, r.finished_at, r.error
from core.run as r
left join core.model as m on m.run_id = r.run_id
left join core.dataset as d on d.dataset_id = m.dataset_id
left join core.encoder as en on en.encoder_id = m.encoder_id
where r.kind = 'train';

comment on view smartdb.training_run is 'Training runs, what they were trained on, and their accuracy on the test split at that time.';
comment on column smartdb.training_run.run_id is 'The run.';
comment on column smartdb.training_run.status is 'running, succeeded or failed.';
comment on column smartdb.training_run.model_id is 'The model it made.';
comment on column smartdb.training_run.model is 'Name of the model.';
comment on column smartdb.training_run.dataset is 'Dataset it was trained on.';
comment on column smartdb.training_run.version is 'Version of that dataset.';
comment on column smartdb.training_run.encoder is 'Encoder whose vectors it reads; null if it reads pixels.';
comment on column smartdb.training_run.seed is 'Random seed.';
comment on column smartdb.training_run.parameters is 'Hyper-parameters.';
comment on column smartdb.training_run.classes is 'The classes, in the order of the probabilities.';
comment on column smartdb.training_run.test_accuracy is 'Accuracy on the test split, against the labels of its version.';
comment on column smartdb.training_run.uri is 'Where the weights lie.';
comment on column smartdb.training_run.sha256 is 'SHA-256 of the weights file.';
comment on column smartdb.training_run.started_at is 'When it started.';
comment on column smartdb.training_run.finished_at is 'When it ended.';
comment on column smartdb.training_run.error is 'Message of the failure.';

-- example:
--   select run_id, model, dataset, version, encoder, classes, test_accuracy from
--   smartdb.training_run order by run_id
-- result:
--   4 | pets | pets | 1 | tiny | ['cat', 'dog'] | 0.3333
--   5 | pets | pets | 2 | tiny | ['cat', 'dog'] | 0.75
