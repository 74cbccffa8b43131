-- How often media of each class were predicted as each class.
create view smartdb.confusion_matrix as
select p.run_id, p.split, p.class, p.predicted_class, count(*) as n, avg(p.confidence) as mean_confidence
from smartdb.prediction as p
where p.class is not null
group by p.run_id, p.split, p.class, p.predicted_class;

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
