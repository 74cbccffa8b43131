-- Annotating: answers as they were sent. One that is refused is kept, so that its author gets it back.

create table core.submission (
    submission_id bigint generated always as identity,
    task_id bigint,
    media_id bigint,
    actor_id bigint not null,
    key text not null,
    state text not null,
    labels jsonb,
    label_ids bigint[],
    seconds real,
    sqlstate text,
    reason text,
    n_tries integer not null default 1,
    created_at timestamptz not null default clock_timestamp(),
    tried_at timestamptz not null default clock_timestamp(),
    constraint submission_pk primary key (submission_id),
    constraint submission_state_check check (state in ('accepted', 'refused')),
    constraint submission_answer_check check (case state
        when 'accepted' then label_ids is not null and labels is null and reason is null
        else label_ids is null and reason is not null and sqlstate is not null end),
    constraint submission_tries_check check (n_tries >= 1)
);
create unique index submission_key on core.submission (actor_id, task_id, key) nulls not distinct;
create index submission_media_idx on core.submission (media_id);
create index submission_refused_idx on core.submission (actor_id, submission_id) where state = 'refused';
alter table core.submission enable row level security;
alter table core.submission force row level security;
create policy unrestricted on core.submission using (
    media_id is null
    or media_id not in (select r.media_id from core.restriction as r)
    or pg_has_role(current_user, 'smartdb_privacy', 'member'));
call core.refer('core.submission', '{
    {task_id, core.task, task_id},
    {media_id, core.media, media_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.submission is
    'An answer to a label task as it was sent, accepted or refused. Sent again with the same key it is the same row.';
comment on column core.submission.submission_id is 'Identity of the submission.';
comment on column core.submission.task_id is 'The task it answers; null if there is none of that number.';
comment on column core.submission.media_id is 'The media it is about; null if there is none, or it was erased.';
comment on column core.submission.actor_id is 'Who sent it.';
comment on column core.submission.key is
    'What tells a repetition from another answer: the client''s key, else a digest of the labels.';
comment on column core.submission.state is 'accepted (the labels were written) or refused (nothing was).';
comment on column core.submission.labels is 'What was sent, of a refused one; null when accepted, or when its media was erased.';
comment on column core.submission.label_ids is 'The labels that were written, in the order sent; null when refused.';
comment on column core.submission.seconds is 'How long the person worked on it, as the client says.';
comment on column core.submission.sqlstate is 'The code of the error, of a refused one.';
comment on column core.submission.reason is 'Why it was refused and what to do, for a person.';
comment on column core.submission.n_tries is 'How often it was sent.';
comment on column core.submission.created_at is 'When it was sent first.';
comment on column core.submission.tried_at is 'When it was sent last.';
