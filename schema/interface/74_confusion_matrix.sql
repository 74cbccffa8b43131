-- How often media of each class were predicted as each class.
create view smartdb.confusion_matrix as
with counted as ( -- by number first: names are looked up once a cell, not once a prediction
    select
        p.run_id, p.split, p.class_id, p.predicted_class_id, count(*) as n,
        avg(p.confidence) as mean_confidence
    from smartdb.prediction as p
    where p.class_id is not null
    group by p.run_id, p.split, p.class_id, p.predicted_class_id
)
select
    n.run_id, n.split, t.name as class, c.name as predicted_class, n.n, n.mean_confidence
from counted as n
join core.class as t on t.class_id = n.class_id
join core.class as c on c.class_id = n.predicted_class_id;

comment on view smartdb.confusion_matrix is 'How often media of each class were predicted as each class. Name a run: where run_id = ...';
comment on column smartdb.confusion_matrix.run_id is 'The run.';
comment on column smartdb.confusion_matrix.split is 'train, val or test.';
comment on column smartdb.confusion_matrix.class is 'The true class.';
comment on column smartdb.confusion_matrix.predicted_class is 'The predicted class.';
comment on column smartdb.confusion_matrix.n is 'Number of media.';
comment on column smartdb.confusion_matrix.mean_confidence is 'Mean probability of the predicted class.';

-- example:
--   select class, predicted_class, n from smartdb.confusion_matrix where run_id = 4 and split =
--   'test' order by class, predicted_class
-- result:
--   cat | dog | 1
--   dog | cat | 1
--   dog | dog | 1
