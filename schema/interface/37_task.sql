-- All tasks, those that ended included.
create view smartdb.task as
select
    t.task_id, t.kind, p.name as project, t.media_id, t.label_id, t.state, t.priority, a.name as assignee,
    t.lease_until, t.batch_id, t.created_at, t.claimed_at, t.done_at,
    extract(epoch from t.done_at - t.claimed_at) as leased_seconds, t.seconds, t.reason, t.prefill
from core.task as t
left join core.project as p on p.project_id = t.project_id
left join core.actor as a on a.actor_id = t.assignee_id
where t.state in ('open', 'claimed') or not pg_has_role(current_user, 'smartdb_annotator', 'member');

comment on view smartdb.task is
    'Tasks: what a person is asked about a media. Annotators see those that have not ended.';
comment on column smartdb.task.task_id is 'Identity of the task.';
comment on column smartdb.task.kind is 'label, review or adjudicate.';
comment on column smartdb.task.project is 'The project that asks; null: none.';
comment on column smartdb.task.media_id is 'The media to look at.';
comment on column smartdb.task.label_id is 'The label to judge; null for a label task.';
comment on column smartdb.task.state is 'open, claimed, done or skipped.';
comment on column smartdb.task.priority is 'Larger comes first.';
comment on column smartdb.task.assignee is 'Who has it, or had it last.';
comment on column smartdb.task.lease_until is 'Until when a claim holds.';
comment on column smartdb.task.batch_id is 'The batch that asked for it.';
comment on column smartdb.task.created_at is 'When it was made.';
comment on column smartdb.task.claimed_at is 'When it was claimed last.';
comment on column smartdb.task.done_at is 'When it was done or skipped.';
comment on column smartdb.task.leased_seconds is 'From the last claim to the end, in seconds.';
comment on column smartdb.task.seconds is 'How long the person worked on it, as the client says.';
comment on column smartdb.task.reason is 'Why it was skipped or, of an open one, given back.';
comment on column smartdb.task.prefill is 'The labels the person starts from.';

-- example:
--   select task_id, kind, project, media_id, state, assignee from smartdb.task order by task_id
-- result:
--   1 | label | None | 11 | open | None
--   3 | review | None | 5 | done | ana
--   4 | review | None | 7 | open | None
--   5 | label | pets | 9 | done | cy
--   6 | label | pets | 9 | claimed | ana
--   7 | label | pets | 10 | skipped | cy
