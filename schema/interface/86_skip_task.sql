-- Gives a task back unanswered.
create function smartdb.skip_task(task bigint, actor text) returns void
language plpgsql volatile as $$
begin
    perform smartdb.require_lease(task, actor);
    update core.task as k set state = 'skipped', done_at = clock_timestamp(), lease_until = null
    where k.task_id = task;
end
$$;
comment on function smartdb.skip_task(bigint, text) is
    'Ends a task that the actor holds without an answer.';

-- example:
--   select task_id from smartdb.claim_task('ana'); select smartdb.skip_task(1, 'ana')
-- result:
--   
