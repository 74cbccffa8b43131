-- Work that waits: open tasks and those whose lease has run out, most wanted first.
-- A page reads no more than it shows if it asks for each state by itself: open, or claimed and lease_until < now().
create view smartdb.task_queue as
select
    t.task_id, t.kind, t.media_id, m.uri, t.label_id, t.priority, t.batch_id, t.created_at,
    t.state, a.name as last_assignee, p.name as project, t.lease_until
from core.task as t
join smartdb.media as m using (media_id)
left join core.actor as a on a.actor_id = t.assignee_id
left join core.project as p on p.project_id = t.project_id
where t.state = 'open' or (t.state = 'claimed' and t.lease_until < now());

comment on view smartdb.task_queue is 'Tasks that wait: open, or claimed with a lease that has run out. Order by priority desc, task_id.';
comment on column smartdb.task_queue.task_id is 'Identity of the task.';
comment on column smartdb.task_queue.kind is 'label, review or adjudicate.';
comment on column smartdb.task_queue.media_id is 'The media to look at.';
comment on column smartdb.task_queue.uri is 'Where its bytes lie.';
comment on column smartdb.task_queue.label_id is 'The label to judge.';
comment on column smartdb.task_queue.priority is 'Larger comes first.';
comment on column smartdb.task_queue.batch_id is 'The batch that asked for it.';
comment on column smartdb.task_queue.created_at is 'When it was made.';
comment on column smartdb.task_queue.state is 'open or claimed (its lease has run out).';
comment on column smartdb.task_queue.last_assignee is 'Who had claimed it.';
comment on column smartdb.task_queue.project is 'The project that asks; null: none.';
comment on column smartdb.task_queue.lease_until is 'When the lease ran out, of a claimed one.';

-- example:
--   select kind, media_id, priority, state from smartdb.task_queue order by priority desc
-- result:
--   label | 11 | 1 | open
--   review | 7 | 0.3 | open
