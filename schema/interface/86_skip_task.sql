-- Ends a task without an answer.
create function smartdb.skip_task(task bigint, actor text, reason text default null) returns void
language plpgsql volatile as $$
begin
    perform smartdb.require_lease(task, actor);
    update core.task as k
    set state = 'skipped', done_at = clock_timestamp(), lease_until = null, reason = skip_task.reason
    where k.task_id = task;
end
$$;
comment on function smartdb.skip_task(bigint, text, text) is
    'Ends a task that the actor holds without an answer, because nobody could give one; the reason is kept. '
    'To leave it to somebody else use return_task.';

-- example:
--   select task_id from smartdb.claim_task('ana'); select smartdb.skip_task(1, 'ana', 'all black')
-- result:
--   
