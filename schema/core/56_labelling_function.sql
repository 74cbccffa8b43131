-- Annotating: what labels by itself: functions that vote, predictions that came with files, and the
-- thresholds, measured on gold, from which on their word is written down as a label.

create table core.labelling_function (
    function_id bigint generated always as identity,
    name text not null,
    class_id bigint not null,
    predicate text not null,
    note text,
    created_at timestamptz not null default now(),
    constraint labelling_function_pk primary key (function_id),
    constraint labelling_function_name_key unique (name),
    constraint labelling_function_name_check check (name <> ''),
    constraint labelling_function_predicate_check check (predicate <> ''),
    constraint labelling_function_class_fk foreign key (class_id)
        references core.class (class_id) on delete restrict
);
create index labelling_function_class_idx on core.labelling_function (class_id);
comment on table core.labelling_function is
    'A rule of thumb: a condition on media that votes for a class where it holds, and abstains elsewhere.';
comment on column core.labelling_function.function_id is 'Identity of the function.';
comment on column core.labelling_function.name is 'Unique name, as shown to people.';
comment on column core.labelling_function.class_id is 'The class it votes for.';
comment on column core.labelling_function.predicate is 'SQL condition over the columns of smartdb.media, read as m.';
comment on column core.labelling_function.note is 'Why it should hold.';
comment on column core.labelling_function.created_at is 'When it was made.';

create table core.predicted_label (
    predicted_label_id bigint generated always as identity,
    run_id bigint not null,
    media_id bigint not null,
    class_id bigint not null,
    kind text not null,
    x double precision,
    y double precision,
    w double precision,
    h double precision,
    confidence real not null,
    constraint predicted_label_pk primary key (predicted_label_id),
    constraint predicted_label_kind_check check (kind in ('classification', 'box')),
    constraint predicted_label_box_check check (
        case kind when 'box' then num_nulls(x, y, w, h) = 0 and w > 0 and h > 0 else num_nonnulls(x, y, w, h) = 0 end),
    constraint predicted_label_confidence_check check (confidence between 0 and 1)
);
create index predicted_label_run_idx on core.predicted_label (run_id, media_id);
create index predicted_label_media_idx on core.predicted_label (media_id);
call core.protect('core.predicted_label');
call core.refer('core.predicted_label', '{
    {run_id, core.run, run_id},
    {media_id, core.media, media_id},
    {class_id, core.class, class_id}
}');
comment on table core.predicted_label is
    'What a model elsewhere predicted, as a file of predictions said it: classes and boxes with confidences. Not labels.';
comment on column core.predicted_label.predicted_label_id is 'Identity of the row.';
comment on column core.predicted_label.run_id is 'The run that imported the file.';
comment on column core.predicted_label.media_id is 'The media.';
comment on column core.predicted_label.class_id is 'The predicted class.';
comment on column core.predicted_label.kind is 'classification (the whole media) or box.';
comment on column core.predicted_label.x is 'Left edge of the box in pixels of the upright image.';
comment on column core.predicted_label.y is 'Top edge of the box in pixels of the upright image.';
comment on column core.predicted_label.w is 'Width of the box in pixels.';
comment on column core.predicted_label.h is 'Height of the box in pixels.';
comment on column core.predicted_label.confidence is 'How sure the model was, 0 to 1.';

create table core.auto_label_threshold (
    run_id bigint not null,
    class_id bigint,
    actor_id bigint not null,
    ontology_id bigint not null,
    kind text not null,
    precision_wanted double precision not null,
    level double precision not null,
    bound text not null,
    confidence double precision,
    n_gold integer not null,
    n_above integer not null,
    n_correct integer not null,
    precision_low double precision not null,
    reason text,
    constraint auto_label_threshold_key unique nulls not distinct (run_id, class_id),
    constraint auto_label_threshold_wanted_check check (precision_wanted > 0 and precision_wanted < 1),
    constraint auto_label_threshold_level_check check (level > 0 and level < 1),
    constraint auto_label_threshold_bound_check check (bound in ('clopper_pearson', 'wilson')),
    constraint auto_label_threshold_reason_check check ((confidence is null) = (reason is not null)),
    constraint auto_label_threshold_n_check check (n_correct <= n_above and n_above <= n_gold),
    constraint auto_label_threshold_run_fk foreign key (run_id) references core.run (run_id) on delete restrict,
    constraint auto_label_threshold_class_fk foreign key (class_id) references core.class (class_id) on delete restrict,
    constraint auto_label_threshold_actor_fk foreign key (actor_id) references core.actor (actor_id) on delete restrict,
    constraint auto_label_threshold_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict
);
create index auto_label_threshold_actor_idx on core.auto_label_threshold (actor_id, run_id);
create index auto_label_threshold_class_idx on core.auto_label_threshold (class_id) where class_id is not null;
create index auto_label_threshold_ontology_idx on core.auto_label_threshold (ontology_id);
comment on table core.auto_label_threshold is
    'From which confidence on a run of automated labelling wrote labels, as gold told; and where it did not, why.';
comment on column core.auto_label_threshold.run_id is 'The run.';
comment on column core.auto_label_threshold.class_id is 'The class it holds for; null: all classes together.';
comment on column core.auto_label_threshold.actor_id is 'The method, in whose name labels are written.';
comment on column core.auto_label_threshold.ontology_id is 'The ontology whose classes it gives.';
comment on column core.auto_label_threshold.kind is 'Kind of label: classification or box.';
comment on column core.auto_label_threshold.precision_wanted is 'The share of labels that shall be right.';
comment on column core.auto_label_threshold.level is 'How sure one wants to be of that, for instance 0.95.';
comment on column core.auto_label_threshold.bound is 'How the lower bound is computed: clopper_pearson or wilson.';
comment on column core.auto_label_threshold.confidence is 'Labels at least as sure as this are written; null: none is.';
comment on column core.auto_label_threshold.n_gold is 'On how many gold items the method said something.';
comment on column core.auto_label_threshold.n_above is 'On how many of them with at least this confidence; without one on all.';
comment on column core.auto_label_threshold.n_correct is 'How often it was right in these.';
comment on column core.auto_label_threshold.precision_low is 'Lower bound of the precision, at the level, of these.';
comment on column core.auto_label_threshold.reason is 'Why there is no threshold; null where there is one.';
