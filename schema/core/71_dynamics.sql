-- Training: how the items that a run was trained on went through the training.

create table core.training_dynamics (
    run_id bigint not null,
    media_id bigint not null,
    loss real not null,
    el2n real not null,
    n_forgotten integer not null,
    n_correct integer not null,
    n_epochs integer not null,
    constraint training_dynamics_pk primary key (media_id, run_id),
    constraint training_dynamics_loss_check check (loss >= 0 and loss < 'Infinity'),
    constraint training_dynamics_el2n_check check (el2n between 0 and 1.5),
    constraint training_dynamics_epochs_check check (
        n_correct between 0 and n_epochs and n_forgotten between 0 and n_correct)
);
create index training_dynamics_run_idx on core.training_dynamics using brin (run_id) with (pages_per_range = 16);
call core.protect('core.training_dynamics');
call core.refer('core.training_dynamics', '{
    {run_id, core.evaluation, run_id},
    {media_id, core.media, media_id}
}');
comment on table core.training_dynamics is
    'How each train item of a training run went through the training: what is hard, what is soon learnt and what is forgotten.';
comment on column core.training_dynamics.run_id is 'The training run.';
comment on column core.training_dynamics.media_id is 'The train item.';
comment on column core.training_dynamics.loss is
    '-ln of the probability that the model that was kept gives the true class, in nats, at most 16.1 (1e-7).';
comment on column core.training_dynamics.el2n is
    'EL2N (Paul et al. 2021): length of the vector probabilities less one-hot truth, 0 to 1.41, mean of the first ten epochs.';
comment on column core.training_dynamics.n_forgotten is
    'Forgetting events (Toneva et al. 2019): epochs in which it was wrong after it was right in the epoch before.';
comment on column core.training_dynamics.n_correct is 'Epochs in which it was right; 0: it was never learnt.';
comment on column core.training_dynamics.n_epochs is 'Epochs that were watched.';
