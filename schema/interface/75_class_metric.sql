-- Precision, recall and F1 of each class.
create view smartdb.class_metric as
with counted as (
    select
        m.run_id, m.split, u.class, sum(u.n_true)::bigint as n_true,
        sum(u.n_predicted)::bigint as n_predicted, sum(u.n_right)::bigint as n_right
    from smartdb.confusion_matrix as m
    cross join lateral (values
        (m.class, m.n, 0, case when m.class = m.predicted_class then m.n else 0 end),
        (m.predicted_class, 0, m.n, 0)
    ) as u (class, n_true, n_predicted, n_right)
    group by m.run_id, m.split, u.class
)
select
    run_id, split, class, n_true, n_predicted, n_right,
    n_right / nullif(n_predicted, 0)::double precision as precision,
    n_right / nullif(n_true, 0)::double precision as recall,
    2 * n_right / nullif(n_true + n_predicted, 0)::double precision as f1
from counted;

comment on view smartdb.class_metric is
    'Precision, recall and F1 of each class; null where there was nothing to divide by. Name a run: where run_id = ...';
comment on column smartdb.class_metric.run_id is 'The run.';
comment on column smartdb.class_metric.split is 'train, val or test.';
comment on column smartdb.class_metric.class is 'The class.';
comment on column smartdb.class_metric.n_true is 'Media of the class.';
comment on column smartdb.class_metric.n_predicted is 'Media predicted as the class.';
comment on column smartdb.class_metric.n_right is 'Media where both hold.';
comment on column smartdb.class_metric.precision is 'n_right / n_predicted.';
comment on column smartdb.class_metric.recall is 'n_right / n_true.';
comment on column smartdb.class_metric.f1 is 'Harmonic mean of precision and recall.';

-- example:
--   select class, n_true, n_predicted, n_right, precision, recall, f1 from smartdb.class_metric
--   where run_id = 4 and split = 'test' order by class
-- result:
--   cat | 1 | 1 | 0 | 0 | 0 | 0
--   dog | 2 | 2 | 1 | 0.5 | 0.5 | 0.5
