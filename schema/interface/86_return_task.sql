-- Gives a task back for somebody else.
create function smartdb.return_task(task bigint, actor text, reason text default null) returns void
language plpgsql volatile as $$
begin
    perform smartdb.require_lease(task, actor);
    update core.task as k
    set state = 'open', lease_until = null, reason = coalesce(nullif(return_task.reason, ''), 'returned')
    where k.task_id = task;
end
$$;
comment on function smartdb.return_task(bigint, text, text) is
    'Puts a task that the actor holds back into the queue for somebody else; the reason is kept until then.';

-- example:
--   select task_id from smartdb.claim_task('ana'); select smartdb.return_task(1, 'ana', 'not my field'); select
--   count(*) from smartdb.claim_task('ana')
-- result:
--   0
