-- Annotating: exchange with label editors: what went out in which state, what came back, and where
-- both sides changed the same object.

create table core.exchange (
    exchange_id bigint generated always as identity,
    editor text not null,
    project_id bigint,
    ontology_id bigint not null,
    parameters jsonb not null default '{}',
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint exchange_pk primary key (exchange_id),
    constraint exchange_editor_check check (editor in ('label_studio', 'cvat')),
    constraint exchange_project_fk foreign key (project_id)
        references core.project (project_id) on delete restrict,
    constraint exchange_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict,
    constraint exchange_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
create index exchange_project_idx on core.exchange (project_id) where project_id is not null;
create index exchange_ontology_idx on core.exchange (ontology_id);
create index exchange_run_idx on core.exchange (run_id);
call core.make_permanent('core.exchange', 'exchange_id');
comment on table core.exchange is 'Tasks that were given to a label editor, together; what the editor says later is compared with this state.';
comment on column core.exchange.exchange_id is 'Identity of the exchange; it travels with the tasks.';
comment on column core.exchange.editor is 'label_studio or cvat.';
comment on column core.exchange.project_id is 'The project whose tasks went out; null for tasks of no project.';
comment on column core.exchange.ontology_id is 'The ontology whose classes the editor offers.';
comment on column core.exchange.parameters is 'What was asked for, the file, and the editor''s numbers of people ("people").';
comment on column core.exchange.run_id is 'The run that wrote the tasks.';
comment on column core.exchange.created_at is 'When they went out.';

create table core.exchange_item (
    exchange_id bigint not null,
    media_id bigint not null,
    task_id bigint,
    name text not null,
    frame_index integer,
    constraint exchange_item_pk primary key (exchange_id, media_id)
);
create index exchange_item_media_idx on core.exchange_item (media_id);
call core.protect('core.exchange_item');
call core.refer('core.exchange_item', '{
    {exchange_id, core.exchange, exchange_id},
    {media_id, core.media, media_id},
    {task_id, core.task, task_id}
}');
comment on table core.exchange_item is 'A media of an exchange, by the name it has in the editor.';
comment on column core.exchange_item.exchange_id is 'The exchange.';
comment on column core.exchange_item.media_id is 'The media.';
comment on column core.exchange_item.task_id is 'The task that it answers; null if it went out without one.';
comment on column core.exchange_item.name is 'What the editor calls it.';
comment on column core.exchange_item.frame_index is 'Of a frame, its number in the editor''s video.';

create table core.exchange_object (
    exchange_id bigint not null,
    media_id bigint not null,
    answer text not null,
    region text not null,
    object_id bigint not null,
    label_id bigint,
    said jsonb,
    constraint exchange_object_pk primary key (exchange_id, media_id, answer, region)
);
create index exchange_object_media_idx on core.exchange_object (media_id);
call core.protect('core.exchange_object');
call core.refer('core.exchange_object', '{
    {exchange_id, core.exchange, exchange_id},
    {media_id, core.media, media_id},
    {label_id, core.label, label_id}
}');
comment on table core.exchange_object is 'A labelled thing that both sides know: which row it had here when they last agreed, and what the editor said of it last.';
comment on column core.exchange_object.exchange_id is 'The exchange.';
comment on column core.exchange_object.media_id is 'The media.';
comment on column core.exchange_object.answer is 'The annotation of the editor that brought it; empty: it went out with the tasks, and all share it.';
comment on column core.exchange_object.region is 'What the editor calls it.';
comment on column core.exchange_object.object_id is 'The thing here, core.label.object_id.';
comment on column core.exchange_object.label_id is 'Its row here when both sides last agreed; null: both agreed that there is no such thing.';
comment on column core.exchange_object.said is
    'What the editor said last, where that is not what the row says (there is or was a conflict): a label object, or the JSON value null: removed there.';

create table core.exchange_answer (
    exchange_id bigint not null,
    media_id bigint not null,
    answer text not null,
    actor_id bigint not null,
    said_at timestamptz,
    digest bytea not null,
    created_at timestamptz not null default now(),
    constraint exchange_answer_pk primary key (exchange_id, media_id, answer)
);
create index exchange_answer_media_idx on core.exchange_answer (media_id);
call core.protect('core.exchange_answer');
call core.refer('core.exchange_answer', '{
    {exchange_id, core.exchange, exchange_id},
    {media_id, core.media, media_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.exchange_answer is 'An annotation of the editor in the state that was taken in last, so that one that comes again changes nothing.';
comment on column core.exchange_answer.exchange_id is 'The exchange.';
comment on column core.exchange_answer.media_id is 'The media.';
comment on column core.exchange_answer.answer is 'What the editor calls the annotation.';
comment on column core.exchange_answer.actor_id is 'Who said it there.';
comment on column core.exchange_answer.said_at is 'When, by the clock of the editor.';
comment on column core.exchange_answer.digest is 'SHA-256 of what it said.';
comment on column core.exchange_answer.created_at is 'When it was taken in first.';

create table core.exchange_conflict (
    exchange_conflict_id bigint generated always as identity,
    exchange_id bigint not null,
    media_id bigint not null,
    answer text not null,
    region text not null,
    object_id bigint not null,
    base_label_id bigint not null,
    theirs jsonb,
    actor_id bigint not null,
    said_at timestamptz,
    state text not null default 'open',
    resolved_by bigint,
    reason text,
    label_id bigint,
    created_at timestamptz not null default now(),
    resolved_at timestamptz,
    constraint exchange_conflict_pk primary key (exchange_conflict_id),
    constraint exchange_conflict_state_check check (state in ('open', 'ours', 'theirs')),
    constraint exchange_conflict_resolved_check check ((state = 'open') = (resolved_at is null)),
    constraint exchange_conflict_exchange_fk foreign key (exchange_id)
        references core.exchange (exchange_id) on delete restrict,
    constraint exchange_conflict_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict,
    constraint exchange_conflict_base_fk foreign key (base_label_id)
        references core.label (label_id) on delete restrict,
    constraint exchange_conflict_label_fk foreign key (label_id)
        references core.label (label_id) on delete restrict,
    constraint exchange_conflict_actor_fk foreign key (actor_id)
        references core.actor (actor_id) on delete restrict,
    constraint exchange_conflict_resolved_fk foreign key (resolved_by)
        references core.actor (actor_id) on delete restrict
);
create unique index exchange_conflict_open_key on core.exchange_conflict (exchange_id, object_id, answer) where state = 'open';
create index exchange_conflict_media_idx on core.exchange_conflict (media_id);
create index exchange_conflict_base_idx on core.exchange_conflict (base_label_id);
create index exchange_conflict_label_idx on core.exchange_conflict (label_id) where label_id is not null;
create index exchange_conflict_actor_idx on core.exchange_conflict (actor_id);
create index exchange_conflict_resolved_idx on core.exchange_conflict (resolved_by) where resolved_by is not null;
call core.protect('core.exchange_conflict');
comment on table core.exchange_conflict is 'A labelled thing that was changed here and in the editor since both agreed on it. Nothing is overwritten: a rule or a person decides.';
comment on column core.exchange_conflict.exchange_conflict_id is 'Identity of the conflict.';
comment on column core.exchange_conflict.exchange_id is 'The exchange.';
comment on column core.exchange_conflict.media_id is 'The media.';
comment on column core.exchange_conflict.answer is 'The annotation of the editor that says so.';
comment on column core.exchange_conflict.region is 'What the editor calls the thing.';
comment on column core.exchange_conflict.object_id is 'The thing.';
comment on column core.exchange_conflict.base_label_id is 'The row that both last agreed on.';
comment on column core.exchange_conflict.theirs is 'What the editor says: a label object; null: it was removed there.';
comment on column core.exchange_conflict.actor_id is 'Who said so there.';
comment on column core.exchange_conflict.said_at is 'When, by the clock of the editor.';
comment on column core.exchange_conflict.state is 'open, ours (what is here stays) or theirs (what the editor says was taken).';
comment on column core.exchange_conflict.resolved_by is 'Who decided; null: a rule did.';
comment on column core.exchange_conflict.reason is 'Why: the rule, or a person''s words.';
comment on column core.exchange_conflict.label_id is 'The live row after the decision; null: none.';
comment on column core.exchange_conflict.created_at is 'When it was found.';
comment on column core.exchange_conflict.resolved_at is 'When it was decided.';

create table core.exchange_refusal (
    exchange_refusal_id bigint generated always as identity,
    exchange_id bigint,
    media_id bigint,
    place text not null,
    reason text not null,
    detail text not null,
    content jsonb,
    created_at timestamptz not null default now(),
    constraint exchange_refusal_pk primary key (exchange_refusal_id),
    constraint exchange_refusal_key unique nulls not distinct (exchange_id, place, reason, detail),
    constraint exchange_refusal_reason_check check (reason ~ '^[a-z_]+$'),
    constraint exchange_refusal_exchange_fk foreign key (exchange_id)
        references core.exchange (exchange_id) on delete restrict,
    constraint exchange_refusal_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict
);
create index exchange_refusal_media_idx on core.exchange_refusal (media_id);
alter table core.exchange_refusal enable row level security;
alter table core.exchange_refusal force row level security;
create policy unrestricted on core.exchange_refusal using (
    media_id is null or media_id not in (select r.media_id from core.restriction as r)
    or pg_has_role(current_user, 'smartdb_privacy', 'member')
);
comment on table core.exchange_refusal is 'What an editor said and could not be taken in, kept so that nothing is lost.';
comment on column core.exchange_refusal.exchange_refusal_id is 'Identity of the refusal.';
comment on column core.exchange_refusal.exchange_id is 'The exchange, if that is known.';
comment on column core.exchange_refusal.media_id is 'The media, if that is known and may be seen.';
comment on column core.exchange_refusal.place is 'Where: a file with a line or id, or an annotation.';
comment on column core.exchange_refusal.reason is
    'Stable code: broken_file, bad_row, bad_shape, unknown_class, unknown_media, unknown_exchange, unsupported, ambiguous, refused.';
comment on column core.exchange_refusal.detail is 'A sentence for a person.';
comment on column core.exchange_refusal.content is 'The whole annotation as it came; null where it is of no media that may be seen, or is no JSON.';
comment on column core.exchange_refusal.created_at is 'When it came first.';

create table core.exchange_delivery (
    digest bytea not null,
    created_at timestamptz not null default now(),
    constraint exchange_delivery_pk primary key (digest)
);
comment on table core.exchange_delivery is 'Messages of label editors that were taken in, so that none is taken in twice.';
comment on column core.exchange_delivery.digest is 'SHA-256 of the message.';
comment on column core.exchange_delivery.created_at is 'When it came first.';
