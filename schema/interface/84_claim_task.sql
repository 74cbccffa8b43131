-- Claims the most wanted tasks of a kind for a person, until the lease runs out.
create function smartdb.claim_task(
    actor text, kind text default 'label', n integer default 1, lease interval default '10 minutes'
)
returns table (task_id bigint, media_id bigint, label_id bigint, priority double precision, lease_until timestamptz)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    me bigint := smartdb.person_id(actor);
begin
    if claim_task.kind is null or claim_task.kind not in ('label', 'review', 'adjudicate') then
        raise exception 'no kind of task %', coalesce(claim_task.kind, 'null')
            using errcode = 'SD002', hint = 'say label, review or adjudicate';
    elsif n is null or n < 0 or lease is null or lease <= interval '0' then
        raise exception 'cannot claim % tasks for %', coalesce(n::text, 'null'), coalesce(lease::text, 'null')
            using errcode = 'SD002', hint = 'say how many, and for how long, such as 10 minutes';
    end if;
    return query
    with chosen as (
        select t.task_id from core.task as t
        where t.kind = claim_task.kind
            and (t.state = 'open' or (t.state = 'claimed' and t.lease_until < clock_timestamp()))
            -- nobody reviews their own label
            and (select l.actor_id from core.label as l where l.label_id = t.label_id) is distinct from me
        order by t.priority desc, t.task_id
        limit n for update of t skip locked
    ),
    claimed as (
        update core.task as t
        set state = 'claimed', assignee_id = me, claimed_at = clock_timestamp(),
            lease_until = clock_timestamp() + lease
        from chosen
        where t.task_id = chosen.task_id
        returning t.task_id, t.media_id, t.label_id, t.priority, t.lease_until
    )
    select c.task_id, c.media_id, c.label_id, c.priority, c.lease_until
    from claimed as c
    order by c.priority desc, c.task_id;
end
$$;
comment on function smartdb.claim_task(text, text, integer, interval) is
    'Claims the n most wanted open tasks of a kind for a person until the lease runs out, most wanted first; no two callers get '
    'the same, and nobody gets a review of their own label. A claim whose lease has run out is open to others. '
    'SD002 for an unknown kind, a lease that is not positive, or an actor who is no person.';

-- example:
--   select task_id, media_id, label_id, priority from smartdb.claim_task('bo', 'review')
-- result:
--   4 | 7 | 7 | 0.3
