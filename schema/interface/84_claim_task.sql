-- Claims the most wanted tasks of a kind for an actor, until the lease runs out.
create function smartdb.claim_task(
    actor text, kind text default 'label', n integer default 1, lease interval default '10 minutes'
)
returns table (task_id bigint, media_id bigint, label_id bigint, priority double precision, lease_until timestamptz)
language sql volatile
begin atomic
    with me as (
        insert into core.actor (name, kind) values (claim_task.actor, 'person')
        on conflict on constraint actor_name_key do update set name = excluded.name
        returning actor_id
    ),
    chosen as (
        select t.task_id from core.task as t
        where t.kind = claim_task.kind
            and (t.state = 'open' or (t.state = 'claimed' and t.lease_until < clock_timestamp()))
        order by t.priority desc, t.task_id
        limit n for update skip locked
    )
    update core.task as t
    set state = 'claimed', assignee_id = me.actor_id, claimed_at = clock_timestamp(),
        lease_until = clock_timestamp() + lease
    from chosen, me
    where t.task_id = chosen.task_id
    returning t.task_id, t.media_id, t.label_id, t.priority, t.lease_until;
end;
comment on function smartdb.claim_task(text, text, integer, interval) is
    'Claims the n most wanted open tasks of a kind for an actor until the lease runs out; no two callers get the same. '
    'A claim whose lease has run out is open to others.';
