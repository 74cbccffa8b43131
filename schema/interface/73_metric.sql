-- What runs measured, also epoch by epoch.
create view smartdb.metric as
select x.run_id, x.name, x.split, x.step, x.value, x.n from core.metric as x;

comment on view smartdb.metric is 'What runs measured, also epoch by epoch. Per class and per slice: class_metric, slice_metric().';
comment on column smartdb.metric.run_id is 'The run.';
comment on column smartdb.metric.name is 'accuracy, macro_f1, loss, ...';
comment on column smartdb.metric.split is 'train, val or test.';
comment on column smartdb.metric.step is 'Epoch, from 1; null for the final value.';
comment on column smartdb.metric.value is 'The value.';
comment on column smartdb.metric.n is 'Number of media it was measured on.';

-- example:
--   select name, split, step, value, n from smartdb.metric where run_id = 4 order by name, step
-- result:
--   accuracy | test | None | 0.3333 | 3
--   loss | train | 1 | 0.69 | 6
--   loss | train | 2 | 0.41 | 6
