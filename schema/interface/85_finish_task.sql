-- Ends a leased task as answered, and takes the time it took.
create function smartdb.finish_task(task bigint, seconds real default null) returns void
language sql volatile
begin atomic
    update core.task as k
    set state = 'done', done_at = clock_timestamp(), lease_until = null,
        seconds = least(finish_task.seconds, extract(epoch from clock_timestamp() - k.claimed_at)::real)
    where k.task_id = task and k.state = 'claimed';
end;
comment on function smartdb.finish_task(bigint, real) is
    'Ends a task that require_lease has locked as answered. seconds is what the person worked on it, and counts no longer than from claim to now.';

-- example:
--   select task_id from smartdb.claim_task('ana'); select smartdb.finish_task(1, 3.5)
-- result:
--   None
