-- Gives a task that is not ended to a person, whoever holds it.
create function smartdb.reassign_task(task bigint, actor text, lease interval default '1 day') returns timestamptz
language plpgsql volatile as $$
declare
    me bigint := smartdb.person_id(actor);
    t core.task;
begin
    if lease is null or lease <= interval '0' then
        raise exception 'cannot lease a task for %', coalesce(lease::text, 'null')
            using errcode = 'SD002', hint = 'say for how long, such as 1 day';
    end if;
    select * into t from core.task as k where k.task_id = task for update;
    if not found then
        raise exception 'no task %', task using errcode = 'SD001', hint = 'see: select * from smartdb.task_queue';
    elsif t.state not in ('open', 'claimed') then
        raise exception 'task % is %', task, t.state using errcode = 'SD002', hint = 'only what waits or is leased can be given to another';
    elsif t.label_id is not null
        and not core.may_judge(t.label_id, me, case t.kind when 'adjudicate' then 'adjudicator' else 'reviewer' end) then
        raise exception 'label % is not for % to judge', t.label_id, actor
            using errcode = 'SD002', hint = 'ask somebody who wrote none of it, and took no part in a dispute about it';
    elsif t.project_id is not null and exists (
        select from core.task as h
        where h.project_id = t.project_id and h.media_id = t.media_id and h.assignee_id = me and h.task_id <> task and h.kind = t.kind
    ) then
        raise exception '% was asked about media % in this project before', actor, t.media_id
            using errcode = 'SD002', hint = 'give the task to somebody else';
    end if;
    update core.task as k
    set state = 'claimed', assignee_id = me, claimed_at = clock_timestamp(), lease_until = clock_timestamp() + lease, reason = null
    where k.task_id = task returning k.* into t;
    return t.lease_until;
end
$$;
comment on function smartdb.reassign_task(bigint, text, interval) is
    'Leases a task that waits, or that another holds, to a person, and returns until when; the former holder''s answer is refused from then. '
    'For reviewers and writers. SD001 no such task, SD002 it has ended or is not for this person.';

-- example:
--   select smartdb.reassign_task(1, 'cy', '2 days') > now() + interval '1 day'
-- result:
--   True
