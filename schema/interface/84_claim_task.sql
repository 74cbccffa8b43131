-- Claims the most wanted tasks of a kind for a person, until the lease runs out.
create function smartdb.claim_task(
    actor text, kind text default 'label', n integer default 1, lease interval default '10 minutes',
    project text default null
)
returns table (
    task_id bigint, media_id bigint, label_id bigint, priority double precision, lease_until timestamptz,
    project_id bigint, prefill jsonb
)
language plpgsql volatile set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    me bigint := smartdb.person_id(actor);
    asking bigint := case when claim_task.project is not null then smartdb.open_project(claim_task.project) end;
    wanted text := claim_task.kind;
    chosen bigint[];
begin
    if wanted is null or wanted not in ('label', 'review', 'adjudicate') then
        raise exception 'no kind of task %', coalesce(wanted, 'null')
            using errcode = 'SD002', hint = 'say label, review or adjudicate';
    elsif n is null or n < 0 or lease is null or lease <= interval '0' then
        raise exception 'cannot claim % tasks for %', coalesce(n::text, 'null'), coalesce(lease::text, 'null')
            using errcode = 'SD002', hint = 'say how many, and for how long, such as 10 minutes';
    end if;
    perform smartdb.release_expired();
    -- Not a review of one's own label, what one gave back, or a media that one was asked about before; and of
    -- the answers that a media still needs the first goes first. Twice, because each has its index.
    if asking is null then
        chosen := array(
            select t.task_id from core.task as t
            where t.kind = wanted and t.state = 'open'
                and (t.label_id is null
                    or core.may_judge(t.label_id, me, case wanted when 'adjudicate' then 'adjudicator' else 'reviewer' end))
                and (t.assignee_id is distinct from me or t.reason is null)
                and (t.project_id is null or t.kind <> 'label' or not exists (
                    select from core.task as h
                    where h.project_id = t.project_id and h.media_id = t.media_id and h.assignee_id = me
                        and h.kind = 'label' and h.task_id <> t.task_id))
                and (t.slot = 1 or not exists (
                    select from core.task as s
                    where s.kind = t.kind and s.media_id = t.media_id and coalesce(s.label_id, 0) = coalesce(t.label_id, 0)
                        and coalesce(s.project_id, 0) = coalesce(t.project_id, 0) and s.slot < t.slot and s.state = 'open'))
                and not exists (
                    select from core.project as p where p.project_id = t.project_id and p.closed_at is not null)
            order by t.priority desc, t.task_id limit n for update skip locked);
    else
        chosen := array(
            select t.task_id from core.task as t
            where t.project_id = asking and t.kind = wanted and t.state = 'open'
                and (t.label_id is null
                    or core.may_judge(t.label_id, me, case wanted when 'adjudicate' then 'adjudicator' else 'reviewer' end))
                and (t.assignee_id is distinct from me or t.reason is null)
                and (t.project_id is null or t.kind <> 'label' or not exists (
                    select from core.task as h
                    where h.project_id = t.project_id and h.media_id = t.media_id and h.assignee_id = me
                        and h.kind = 'label' and h.task_id <> t.task_id))
                and (t.slot = 1 or not exists (
                    select from core.task as s
                    where s.kind = t.kind and s.media_id = t.media_id and coalesce(s.label_id, 0) = coalesce(t.label_id, 0)
                        and coalesce(s.project_id, 0) = coalesce(t.project_id, 0) and s.slot < t.slot and s.state = 'open'))
            order by t.priority desc, t.task_id limit n for update skip locked);
    end if;
    return query
    with claimed as (
        update core.task as t
        set state = 'claimed', assignee_id = me, claimed_at = clock_timestamp(), reason = null,
            lease_until = clock_timestamp() + lease
        where t.task_id = any (chosen)
        returning t.task_id, t.media_id, t.label_id, t.priority, t.lease_until, t.project_id, t.prefill
    )
    select c.task_id, c.media_id, c.label_id, c.priority, c.lease_until, c.project_id, c.prefill
    from claimed as c
    order by c.priority desc, c.task_id;
end
$$;
comment on function smartdb.claim_task(text, text, integer, interval, text) is
    'Claims the n most wanted open tasks of a kind (of a project) for a person until the lease runs out, most wanted first. '
    'No two callers get the same: what others are claiming at this very moment is stepped over, so two who claim at once get '
    'the two most wanted, in either order. Nobody gets a review of a label that they wrote any row of, or a dispute they took part in, a media twice in a project, or what they gave back. '
    'Leases that have run out are released first. SD001 for an unknown project, SD002 for an unknown kind, a closed '
    'project, a lease that is not positive, or an actor who is no person.';

-- example:
--   select task_id, media_id, label_id, priority from smartdb.claim_task('bo', 'review')
-- result:
--   4 | 7 | 7 | 0.3
