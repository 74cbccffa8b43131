-- Raises unless the actor holds the task; what submitting and reviewing check first.
create function smartdb.require_lease(task bigint, actor text) returns core.task
language plpgsql volatile as $$
declare
    t core.task;
    holder text;
begin
    select * into t from core.task as k where k.task_id = task for update;
    if not found then
        raise exception 'no task %', task using errcode = 'SD001', hint = 'see: select * from smartdb.task_queue';
    end if;
    select a.name into holder from smartdb.actor as a where a.actor_id = t.assignee_id;
    if t.state <> 'claimed' or holder is distinct from actor or t.lease_until < clock_timestamp() then
        raise exception 'task % is %, not leased to %', task, case
            when holder = actor and t.reason is null and t.state in ('claimed', 'open') then t.state || ' and its lease has run out'
            when t.state = 'claimed' then 'leased to ' || holder
            else t.state end, actor
            using errcode = 'SD004', hint = case
                when holder = actor and t.reason is null and t.state in ('claimed', 'open')
                    then format('take it back: select smartdb.renew_task(%s, %L)', task, actor)
                else 'claim a task again' end;
    end if;
    return t;
end
$$;
comment on function smartdb.require_lease(bigint, text) is
    'The task, locked, if the actor holds its lease; else SD001 (no such task) or SD004 (not leased to the actor).';

-- example:
--   select task_id from smartdb.claim_task('ana'); select task_id, state from
--   smartdb.require_lease(1, 'ana')
-- result:
--   1 | claimed
