-- name: open_label
-- A label task for each media that has no class, unless it has one or somebody skipped it.
insert into core.task (kind, media_id)
select 'label', m.media_id
from core.media as m
where
    not exists (select from smartdb.media_class as c where c.media_id = m.media_id)
    and not exists (
        select from core.task as t
        where
            t.media_id = m.media_id and t.kind = 'label' and t.project_id is null
            and t.state in ('open', 'claimed', 'skipped')
    )
    and (
        %(source)s::text is null
        or exists (
            select from core.media_location as l
            join core.source as s using (source_id)
            where l.media_id = m.media_id and s.name = %(source)s
        )
    )
order by m.media_id
on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot) where state in ('open', 'claimed') do nothing;

-- name: close_labelled
-- Ends unclaimed label tasks of media that got a class otherwise, for instance from an import.
update core.task as t
set state = 'skipped', done_at = clock_timestamp()
where
    t.kind = 'label' and t.state = 'open' and t.project_id is null
    and exists (select from smartdb.media_class as c where c.media_id = t.media_id);

-- name: waiting
-- Number of tasks of a kind (on media of a source) that are not answered.
select count(*)
from core.task as t
where
    t.kind = %(kind)s and t.state in ('open', 'claimed')
    and (
        %(source)s::text is null
        or exists (
            select from core.media_location as l
            join core.source as s using (source_id)
            where l.media_id = t.media_id and s.name = %(source)s
        )
    );

-- name: open_review
-- A review task for each of the most suspicious labels; those that have one take the new score.
with wanted as (
    select q.label_id, q.media_id, max(q.score)::double precision as score
    from smartdb.review_queue as q
    where q.label_id is not null and not exists (
        select from core.task as t
        where
            t.label_id = q.label_id and t.kind = 'review' and t.state = 'skipped'
            and t.assignee_id is not null
    )
    group by q.label_id, q.media_id
    order by score desc, q.label_id
    limit %(n)s
)
insert into core.task as k (kind, media_id, label_id, priority)
select 'review', w.media_id, w.label_id, w.score
from wanted as w
order by w.score desc, w.label_id
on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot) where state in ('open', 'claimed')
do update set priority = excluded.priority where k.priority <> excluded.priority
returning k.xmax = 0 as is_new;

-- name: batch
-- Whether there is such a batch.
select b.batch_id from core.batch as b where b.batch_id = %(batch_id)s;

-- name: open_batch
-- Tasks for a batch: label what has no class, review the label of what has one nobody reviewed.
with chosen as (
    select
        i.media_id, c.label_id,
        1 - (i.rank - 1) / (
            select max(b.rank) from core.batch_item as b where b.batch_id = %(batch_id)s
        )::double precision as priority
    from core.batch_item as i
    left join smartdb.media_class as c on c.media_id = i.media_id
    where
        i.batch_id = %(batch_id)s
        and not exists (
            select from core.review as r
            where
                (r.label_id = c.label_id or r.corrected_label_id = c.label_id)
                and r.rev_to is null
        )
        and not exists (
            select from core.task as t
            where
                t.batch_id = i.batch_id and t.media_id = i.media_id
                and t.state in ('done', 'skipped')
        )
)
insert into core.task as k (kind, media_id, label_id, priority, batch_id)
select
    case when c.label_id is null then 'label' else 'review' end,
    c.media_id, c.label_id, c.priority, %(batch_id)s
from chosen as c
order by c.priority desc
on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot) where state in ('open', 'claimed')
do update set
    batch_id = excluded.batch_id, priority = greatest(k.priority, excluded.priority)
where k.batch_id is distinct from excluded.batch_id
returning k.kind;

-- name: withdraw
-- Ends review tasks that nobody has begun and that ask nothing any more, and says how many.
update core.task as t
set state = 'skipped', done_at = clock_timestamp()
from core.label as l
where
    l.label_id = t.label_id and t.kind = 'review' and t.state = 'open'
    and (l.rev_to is not null or t.label_id = any (%(label_ids)s::bigint[]))
    and not exists (
        select from core.label_issue as i
        where i.label_id = t.label_id and i.state = 'open' and l.rev_to is null
    );

-- name: claim
-- Leases the most wanted tasks to a person.
select
    c.task_id, c.media_id, c.label_id, c.priority, c.lease_until, p.project, c.prefill
from smartdb.claim_task(%(actor)s, %(kind)s, %(n)s, %(lease)s, %(project)s) as c
left join smartdb.project as p on p.project_id = c.project_id
order by c.priority desc, c.task_id;

-- name: submit_label
-- Answers a label task.
select smartdb.submit_label(
    %(task_id)s, %(actor)s, %(class)s, %(confidence)s::real, %(ontology)s
);

-- name: skip
-- Ends a task without an answer.
select smartdb.skip_task(%(task_id)s, %(actor)s, %(reason)s);

-- name: renew
-- Makes a lease longer.
select smartdb.renew_task(%(task_id)s, %(actor)s, %(lease)s);

-- name: return
-- Gives a task back for somebody else.
select smartdb.return_task(%(task_id)s, %(actor)s, %(reason)s);

-- name: reassign
-- Gives a task to a person.
select smartdb.reassign_task(%(task_id)s, %(actor)s, %(lease)s);

-- name: queue
-- The tasks that wait, most wanted first, with the label to judge.
select q.task_id, q.kind, q.media_id, q.uri, h.class, q.priority, q.last_assignee
from smartdb.task_queue as q
left join smartdb.label_history as h on h.label_id = q.label_id
where %(kind)s::text is null or q.kind = %(kind)s
order by q.priority desc, q.task_id
limit %(n)s;

-- name: counts
-- How many tasks of each kind there are in each state.
select t.kind, t.state, count(*) as n from core.task as t group by t.kind, t.state order by 1, 2;
