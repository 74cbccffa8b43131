-- Training: models, their predictions (a partition for each run) and what was measured.

create table core.model (
    model_id bigint generated always as identity,
    name text not null,
    run_id bigint not null,
    dataset_id bigint not null,
    version integer not null,
    encoder_id bigint,
    class_ids bigint[] not null,
    uri text not null,
    sha256 bytea not null,
    created_at timestamptz not null default now(),
    constraint model_pk primary key (model_id),
    constraint model_run_key unique (run_id),
    constraint model_name_check check (name <> ''),
    constraint model_classes_check check (cardinality(class_ids) >= 2),
    constraint model_sha256_check check (octet_length(sha256) = 32),
    constraint model_run_fk foreign key (run_id) references core.run (run_id) on delete restrict,
    constraint model_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict,
    constraint model_encoder_fk foreign key (encoder_id)
        references core.encoder (encoder_id) on delete restrict
);
create index model_version_idx on core.model (dataset_id, version);
create index model_encoder_idx on core.model (encoder_id);
create trigger keep_used_version before insert on core.model
    for each row execute function core.keep_used_version();
comment on table core.model is 'A trained model: its weights by digest, and what it was trained on.';
comment on column core.model.model_id is 'Identity of the model.';
comment on column core.model.name is 'Name, shared by the models that follow each other.';
comment on column core.model.run_id is 'The training run that made it.';
comment on column core.model.dataset_id is 'Dataset it was trained on.';
comment on column core.model.version is 'Version of that dataset.';
comment on column core.model.encoder_id is 'Encoder whose vectors it reads; null if it reads pixels.';
comment on column core.model.class_ids is 'The classes, in the order of its outputs.';
comment on column core.model.uri is 'Where the weights lie.';
comment on column core.model.sha256 is 'SHA-256 of the weights file.';
comment on column core.model.created_at is 'When it was stored.';

create table core.evaluation (
    run_id bigint not null,
    model_id bigint,
    dataset_id bigint,
    version integer,
    revision bigint not null,
    class_ids bigint[] not null,
    constraint evaluation_pk primary key (run_id),
    constraint evaluation_version_check check ((dataset_id is null) = (version is null)),
    constraint evaluation_run_fk foreign key (run_id) references core.run (run_id) on delete restrict,
    constraint evaluation_model_fk foreign key (model_id)
        references core.model (model_id) on delete restrict,
    constraint evaluation_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict
);
create index evaluation_model_idx on core.evaluation (model_id);
create index evaluation_version_idx on core.evaluation (dataset_id, version);
call core.make_permanent('core.evaluation', 'run_id');
create trigger keep_used_version before insert on core.evaluation
    for each row execute function core.keep_used_version();
comment on table core.evaluation is 'One set of predictions and what it is judged against.';
comment on column core.evaluation.run_id is 'The run that predicted.';
comment on column core.evaluation.model_id is 'The model; null for out-of-fold predictions, which many models made.';
comment on column core.evaluation.dataset_id is 'Dataset whose splits apply; null: no splits.';
comment on column core.evaluation.version is 'Version of that dataset.';
comment on column core.evaluation.revision is 'The truth is the labels live at this revision.';
comment on column core.evaluation.class_ids is 'The classes, in the order of the probabilities.';

create table core.prediction (
    run_id bigint not null,
    media_id bigint not null,
    class_id bigint not null,
    probability real[] not null,
    confidence real not null,
    margin real not null,
    entropy real not null,
    true_label_id bigint,
    true_class_id bigint,
    split text,
    constraint prediction_pk primary key (media_id, run_id),
    constraint prediction_truth_check check ((true_label_id is null) = (true_class_id is null)),
    constraint prediction_split_check check (split in ('train', 'val', 'test')),
    constraint prediction_confidence_check check (
        confidence between 0 and 1.0001 and margin between 0 and 1.0001 and entropy >= 0)
) partition by list (run_id);
call core.protect('core.prediction');
call core.refer('core.prediction', '{
    {run_id, core.evaluation, run_id},
    {media_id, core.media, media_id},
    {class_id, core.class, class_id}
}');
comment on table core.prediction is 'What a run predicted for a media; one partition a run.';
comment on column core.prediction.run_id is 'The run.';
comment on column core.prediction.media_id is 'The media.';
comment on column core.prediction.class_id is 'The likeliest class.';
comment on column core.prediction.probability is 'Probability of each class, in the order of the evaluation''s class_ids.';
comment on column core.prediction.confidence is 'Probability of the likeliest class.';
comment on column core.prediction.margin is 'Probability of the likeliest less that of the second.';
comment on column core.prediction.entropy is 'Shannon entropy of the probabilities in nats.';
comment on column core.prediction.true_label_id is
    'The label it is judged against, that of media_class at the run''s revision; null: the media had none.';
comment on column core.prediction.true_class_id is 'The class of that label.';
comment on column core.prediction.split is 'The split of the media in the run''s dataset version; null: it was not a member.';

create function core.check_truth() returns trigger
language plpgsql set enable_nestloop = off as $$ -- one plan, kept, must do for any number of rows
declare
    e core.evaluation;
    wrong bigint;
begin
    for e in
        select x.* from core.evaluation as x where x.run_id in (select c.run_id from changed as c)
    loop
        select c.media_id into wrong
        from changed as c
        left join smartdb.media_class_at(e.revision) as t on t.media_id = c.media_id
        left join core.dataset_item as i
            on i.dataset_id = e.dataset_id and i.media_id = c.media_id
            and i.version_from <= e.version and (i.version_to is null or i.version_to > e.version)
        where c.run_id = e.run_id and (
            c.true_label_id is distinct from t.label_id or c.true_class_id is distinct from t.class_id
            or c.split is distinct from i.split)
        limit 1;
        if found then
            raise exception 'the prediction of media % is not judged against what run % says', wrong, e.run_id
                using errcode = 'SD002',
                hint = 'true_label_id, true_class_id: smartdb.media_class_at; split: core.dataset_item';
        end if;
    end loop;
    return null;
end
$$;
comment on function core.check_truth() is
    'Statement trigger: the truth written beside a prediction is the one at the revision and dataset version of its run.';
create trigger check_truth after insert on core.prediction referencing new table as changed
    for each statement execute function core.check_truth();

create function core.add_prediction_partition(run bigint) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    execute format(
        'create table if not exists core.prediction_%1$s partition of core.prediction for values in (%1$s)', run);
    execute format('comment on table core.prediction_%s is %L', run, 'Predictions of run ' || run || '.');
    execute format('alter table core.prediction_%s enable row level security', run);
end
$$;
comment on function core.add_prediction_partition(bigint) is
    'Makes the partition of a run; rows go in through core.prediction.';

create table core.metric (
    metric_id bigint generated always as identity,
    run_id bigint not null,
    name text not null,
    split text not null,
    step integer,
    value double precision not null,
    n bigint not null,
    constraint metric_pk primary key (metric_id),
    constraint metric_key unique nulls not distinct (run_id, name, split, step),
    constraint metric_split_check check (split in ('train', 'val', 'test')),
    constraint metric_value_check check (value <> 'NaN'),
    constraint metric_n_check check (n > 0),
    constraint metric_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
comment on table core.metric is 'What a run measured. Metrics of a class or a slice are views over predictions.';
comment on column core.metric.metric_id is 'Identity of the measurement.';
comment on column core.metric.run_id is 'The run.';
comment on column core.metric.name is 'accuracy, macro_f1, loss, ...';
comment on column core.metric.split is 'train, val or test.';
comment on column core.metric.step is 'Epoch, from 1; null for the final value.';
comment on column core.metric.value is 'The value.';
comment on column core.metric.n is 'Number of media it was measured on.';
