-- Makes a lease longer, or takes back one that has run out.
create function smartdb.renew_task(task bigint, actor text, lease interval default '10 minutes') returns timestamptz
language plpgsql volatile as $$
declare
    t core.task;
begin
    if lease is null or lease <= interval '0' then
        raise exception 'cannot lease a task for %', coalesce(lease::text, 'null')
            using errcode = 'SD002', hint = 'say for how long, such as 10 minutes';
    end if;
    update core.task as k set state = 'claimed', lease_until = clock_timestamp() + lease
    where k.task_id = task and k.state in ('open', 'claimed') and k.reason is null
        and k.assignee_id = (select a.actor_id from smartdb.actor as a where a.name = actor)
    returning k.* into t;
    if not found then
        t := smartdb.require_lease(task, actor);
    end if;
    return t.lease_until;
end
$$;
comment on function smartdb.renew_task(bigint, text, interval) is
    'Leases a task to who holds it from now for so long, and returns until when; also where the lease has run out, while nobody '
    'else has claimed it. SD001 no such task, SD004 it is not the actor''s any more.';

-- example:
--   select task_id from smartdb.claim_task('ana'); select smartdb.renew_task(1, 'ana', '1 hour') > now() + interval '59 minutes'
-- result:
--   True
