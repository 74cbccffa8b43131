-- How the items that runs were trained on went through the training, beside their class then.
create view smartdb.training_dynamics as
select
    d.run_id, d.media_id, c.name as class, d.loss, d.el2n, d.n_forgotten, d.n_correct, d.n_epochs,
    p.true_class_id as class_id, p.true_label_id as label_id
from core.training_dynamics as d
left join core.prediction as p on p.run_id = d.run_id and p.media_id = d.media_id
left join core.class as c on c.class_id = p.true_class_id;

comment on view smartdb.training_dynamics is
    'What was hard in the training, what was soon learnt and what forgotten: train items of training runs. '
    'Name a run: where run_id = ...; the mean over several seeds is avg(el2n) ... where run_id in (...) group by media_id.';
comment on column smartdb.training_dynamics.run_id is 'The training run.';
comment on column smartdb.training_dynamics.media_id is 'The train item.';
comment on column smartdb.training_dynamics.class is 'The class that it was trained on as.';
comment on column smartdb.training_dynamics.loss is
    '-ln of the probability that the model that was kept gives that class, in nats, at most 16.1.';
comment on column smartdb.training_dynamics.el2n is
    'EL2N (Paul et al. 2021): length of probabilities less one-hot truth, 0 to 1.41, mean of the first ten epochs.';
comment on column smartdb.training_dynamics.n_forgotten is
    'Forgetting events (Toneva et al. 2019): wrong in an epoch after being right in the one before.';
comment on column smartdb.training_dynamics.n_correct is 'Epochs in which it was right; 0: it was never learnt.';
comment on column smartdb.training_dynamics.n_epochs is 'Epochs that were watched.';
comment on column smartdb.training_dynamics.class_id is 'Identity of the class.';
comment on column smartdb.training_dynamics.label_id is 'The label that said so.';

-- example:
--   select media_id, class, el2n, n_forgotten, n_correct, n_epochs from smartdb.training_dynamics
--   where run_id = 5 order by el2n desc limit 2
-- result:
--   7 | dog | 0.7 | 1 | 3 | 4
--   6 | dog | 0.6 | 0 | 3 | 4
