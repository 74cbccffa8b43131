-- Annotating: work for people, claimed by lease.

create table core.project (
    project_id bigint generated always as identity,
    name text not null,
    ontology_id bigint not null,
    instructions text not null default '',
    kinds text[] not null default '{classification}',
    overlap smallint not null default 1,
    gold_share real not null default 0,
    predicate text not null default 'true',
    fill_by text not null default 'age',
    depth integer not null default 0,
    per_day double precision not null default 0,
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    constraint project_pk primary key (project_id),
    constraint project_name_key unique (name),
    constraint project_name_check check (name <> ''),
    constraint project_kinds_check check (cardinality(kinds) >= 1),
    constraint project_overlap_check check (overlap between 1 and 100),
    constraint project_gold_check check (gold_share between 0 and 0.5),
    constraint project_fill_check check (fill_by in ('age', 'uncertainty', 'diversity')),
    constraint project_depth_check check (depth >= 0),
    constraint project_per_day_check check (per_day >= 0 and per_day < 'infinity'),
    constraint project_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict
);
create index project_ontology_idx on core.project (ontology_id);
call core.make_permanent('core.project', 'project_id');
comment on table core.project is 'What annotators are asked: to say which classes of an ontology, in which kinds of label, how many of them for each media.';
comment on column core.project.project_id is 'Identity of the project.';
comment on column core.project.name is 'Unique name, as shown to people.';
comment on column core.project.ontology_id is 'The ontology whose classes are asked for.';
comment on column core.project.instructions is 'What annotators read before they begin.';
comment on column core.project.kinds is 'Kinds of label that are asked for.';
comment on column core.project.overlap is 'How many people label each media; never one person twice.';
comment on column core.project.gold_share is
    'Share of its tasks that ask what is known to be true already, 0 to 0.5; who answers is not told which.';
comment on column core.project.predicate is 'Which media are asked about: SQL on smartdb.media, read as m.';
comment on column core.project.fill_by is
    'Which of those are asked about first: age (the oldest), uncertainty (of the newest run that predicted), diversity (unlike each other).';
comment on column core.project.depth is 'How many media shall wait in its queue; 0: nothing is asked by itself.';
comment on column core.project.per_day is
    'By how much a day of waiting makes a task more wanted than a newer one; priorities lie between 0 and 1 without it.';
comment on column core.project.created_at is 'When it was made.';
comment on column core.project.closed_at is 'When it was closed; nothing more is asked. Null: it is open.';

create table core.task (
    task_id bigint generated always as identity,
    kind text not null,
    media_id bigint not null,
    label_id bigint,
    project_id bigint,
    slot smallint not null default 1,
    prefill jsonb,
    state text not null default 'open',
    priority double precision not null default 0,
    assignee_id bigint,
    lease_until timestamptz,
    batch_id bigint,
    created_at timestamptz not null default now(),
    claimed_at timestamptz,
    done_at timestamptz,
    seconds real,
    reason text,
    constraint task_pk primary key (task_id),
    constraint task_kind_check check (kind in ('label', 'review', 'adjudicate')),
    constraint task_label_check check ((kind = 'label') = (label_id is null)),
    constraint task_state_check check (state in ('open', 'claimed', 'done', 'skipped')),
    constraint task_claim_check check (
        (state = 'claimed') = (lease_until is not null)
        and (state <> 'claimed' or assignee_id is not null)),
    constraint task_done_check check ((state in ('done', 'skipped')) = (done_at is not null)),
    constraint task_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict,
    constraint task_label_fk foreign key (label_id)
        references core.label (label_id) on delete restrict,
    constraint task_project_fk foreign key (project_id)
        references core.project (project_id) on delete restrict,
    constraint task_slot_check check (slot >= 1),
    constraint task_seconds_check check (seconds >= 0 and seconds < 'infinity'),
    constraint task_assignee_fk foreign key (assignee_id)
        references core.actor (actor_id) on delete restrict,
    constraint task_batch_fk foreign key (batch_id)
        references core.batch (batch_id) on delete set null
);
create unique index task_pending_key on core.task (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot)
    where state in ('open', 'claimed');
-- Nobody is asked twice about a media in a project.
create unique index task_person_key on core.task (project_id, media_id, assignee_id)
    where project_id is not null and kind = 'label';
-- What is claimed leaves the queues, so a claim finds the most wanted at their head.
create index task_queue_idx on core.task (kind, priority desc, task_id) where state = 'open';
create index task_project_queue_idx on core.task (project_id, kind, priority desc, task_id)
    where state = 'open' and project_id is not null;
create index task_lease_idx on core.task (lease_until) where state = 'claimed';
create index task_media_idx on core.task (media_id);
create index task_label_idx on core.task (label_id) where label_id is not null;
create index task_assignee_idx on core.task (assignee_id) where assignee_id is not null;
create index task_batch_idx on core.task (batch_id) where batch_id is not null;
call core.protect('core.task');
call core.make_permanent('core.task', 'task_id');
call core.refer('core.label', '{
    {media_id, core.media, media_id},
    {class_id, core.class, class_id},
    {actor_id, core.actor, actor_id},
    {task_id, core.task, task_id},
    {run_id, core.run, run_id}
}');
comment on table core.task is 'Work for a person on a media; claimed by lease, so that nobody waits for who went home.';
comment on column core.task.task_id is 'Identity of the task.';
comment on column core.task.kind is 'label (say what it is), review (judge a label) or adjudicate (settle a dispute).';
comment on column core.task.media_id is 'The media to look at.';
comment on column core.task.label_id is 'The label to judge; null for a label task.';
comment on column core.task.project_id is 'The project that asks; null for the one question of a small team: what is it?';
comment on column core.task.slot is 'Which of the project''s overlapping answers about the media this is, from 1.';
comment on column core.task.prefill is
    'Labels that the annotator starts from: a list of objects with class, kind, x, y, w, h, shape, attributes, confidence.';
comment on column core.task.state is 'open, claimed, done or skipped.';
comment on column core.task.priority is 'Larger comes first.';
comment on column core.task.assignee_id is 'Who claimed it last; on an open task who let it go.';
comment on column core.task.lease_until is 'Until when the claim holds, by the clock of the server; after that anybody may claim it.';
comment on column core.task.batch_id is 'The batch that asked for it.';
comment on column core.task.created_at is 'When it was made.';
comment on column core.task.claimed_at is 'When it was claimed last.';
comment on column core.task.done_at is 'When it was done or skipped.';
comment on column core.task.seconds is
    'How long the person worked on it, as the client says, and no longer than from claim to answer.';
comment on column core.task.reason is
    'Why it was skipped or, on an open task, why its last assignee gave it back, who is not asked again.';
