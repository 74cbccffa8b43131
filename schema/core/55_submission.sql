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
    constraint submission_key unique nulls not distinct (actor_id, task_id, key),
    constraint submission_state_check check (state in ('accepted', 'refused')),
    constraint submission_answer_check check (case state
        when 'accepted' then label_ids is not null and labels is null and reason is null
        else label_ids is null and reason is not null and sqlstate is not null end),
    constraint submission_tries_check check (n_tries >= 1)
);
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

create function core.keep_submission(
    task bigint, actor bigint, key text, labels jsonb, label_ids bigint[], seconds real, sqlstate text, reason text
) returns core.submission
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_variable
declare
    about bigint;
    is_known boolean;
    is_gone boolean;
    kept core.submission;
begin
    select k.media_id, exists (select from core.tombstone as t where t.media_id = k.media_id) into about, is_gone
    from core.task as k where k.task_id = task;
    is_known := found;
    insert into core.submission as s (task_id, media_id, actor_id, key, state, labels, label_ids, seconds, sqlstate, reason)
    values (
        case when is_known then task end, case when not is_gone then about end, actor,
        case when is_known then key else 'task ' || task || ': ' || key end,
        case when label_ids is null then 'refused' else 'accepted' end,
        case when label_ids is null and is_gone is not true then labels end, label_ids, seconds, sqlstate,
        case when is_gone then 'the media of task ' || task || ' was erased; what was said of it is not kept' else reason end)
    on conflict on constraint submission_key do update
    set media_id = excluded.media_id, state = excluded.state, labels = excluded.labels, label_ids = excluded.label_ids,
        seconds = excluded.seconds, sqlstate = excluded.sqlstate, reason = excluded.reason, n_tries = s.n_tries + 1,
        tried_at = clock_timestamp()
    where s.state = 'refused'
    returning s.* into kept;
    if not found then
        select s.* into kept from core.submission as s
        where s.actor_id = actor and s.task_id = task and s.key = key;
    end if;
    return kept;
end
$$;
comment on function core.keep_submission(bigint, bigint, text, jsonb, bigint[], real, text, text) is
    'Writes how an answer ended: accepted with its labels, or refused with the reason; an accepted one stays. Acts as the owner, '
    'so that an answer about a media that was hidden meanwhile is kept too. Of an erased media only the refusal is kept.';
