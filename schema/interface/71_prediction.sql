-- What runs predicted, beside the truth they are judged against.
create view smartdb.prediction as
select
    p.run_id, p.media_id, p.split, t.name as class, c.name as predicted_class,
    p.true_class_id = p.class_id as is_correct,
    p.confidence, p.margin, p.entropy, p.probability,
    p.class_id as predicted_class_id, p.true_class_id as class_id, p.true_label_id as label_id
from core.prediction as p
left join core.class as c on c.class_id = p.class_id
left join core.class as t on t.class_id = p.true_class_id;

comment on view smartdb.prediction is
    'What runs predicted, beside the class at the revision they are judged against. Always name a run: where run_id = ...';
comment on column smartdb.prediction.run_id is 'The run.';
comment on column smartdb.prediction.media_id is 'The media.';
comment on column smartdb.prediction.split is 'train, val or test in the run''s dataset version; null: not in it.';
comment on column smartdb.prediction.class is 'The true class, as the labels had it; null is unlabelled.';
comment on column smartdb.prediction.predicted_class is 'The predicted class.';
comment on column smartdb.prediction.is_correct is 'Whether they are the same; null for unlabelled media.';
comment on column smartdb.prediction.confidence is 'Probability of the predicted class.';
comment on column smartdb.prediction.margin is 'Probability of the predicted class less that of the second.';
comment on column smartdb.prediction.entropy is 'Shannon entropy of the probabilities, in nats.';
comment on column smartdb.prediction.probability is 'Probabilities, in the order of training_run.classes.';
comment on column smartdb.prediction.predicted_class_id is 'Identity of the predicted class.';
comment on column smartdb.prediction.class_id is 'Identity of the true class.';
comment on column smartdb.prediction.label_id is 'The label that says so.';

-- example:
--   select media_id, split, class, predicted_class, is_correct, confidence from
--   smartdb.prediction where run_id = 4 and split = 'test' order by media_id
-- result:
--   4 | test | dog | cat | False | 0.8
--   5 | test | cat | dog | False | 0.8
--   9 | test | dog | dog | True | 0.6
