-- name: stage
-- Makes the table of the lot: unreviewed labels that fulfil the predicate, in the order they are drawn.
drop table if exists pg_temp.review_lot;
create temp table review_lot (
    label_id bigint, media_id bigint, actor_id bigint, class_id bigint, kind text, risk real
) on commit drop;

-- name: fill
-- Puts the lot into its table.
insert into pg_temp.review_lot (label_id, media_id, actor_id, class_id, kind)
select l.label_id, l.media_id, l.actor_id, l.class_id, l.kind
from smartdb.label_where(%(predicate)s) as w
join smartdb.label as l on l.label_id = w.label_id
where l.review_state = 'unreviewed';

-- name: weigh
-- The risk of each label: 1 less the chance that it is right by all of its signs, which are an open
-- suspicion, its author's share of wrong labels (Laplace), a rare class, others who say otherwise.
with class_share as (
    select k.class_id, count(*)::double precision / max(count(*)) over () as share
    from pg_temp.review_lot as k group by k.class_id
),
author as (
    select
        h.actor_id,
        (count(*) filter (where r.verdict <> 'accepted') + 1) / (count(*) + 2)::double precision as wrong
    from core.review as r
    join core.label as h on h.label_id = r.label_id
    where r.rev_to is null and r.state <> 'disputed'
    group by h.actor_id
),
suspicion as (
    select i.label_id, max(i.score) as score
    from core.label_issue as i where i.state = 'open' and i.label_id is not null
    group by i.label_id
),
others as (
    select
        k.label_id,
        avg((o.class_id <> k.class_id)::integer)::double precision as differ
    from pg_temp.review_lot as k
    join core.label as o
        on o.media_id = k.media_id and o.kind = 'classification' and o.rev_to is null
        and o.actor_id <> k.actor_id
    where k.kind = 'classification'
    group by k.label_id
)
update pg_temp.review_lot as k
set risk = 1 - (1 - %(issue)s * coalesce(s.score, 0)) * (1 - %(annotator)s * coalesce(a.wrong, 0.5))
    * (1 - %(rarity)s * (1 - c.share)) * (1 - %(disagreement)s * coalesce(o.differ, 0))
from pg_temp.review_lot as l
join class_share as c on c.class_id = l.class_id
left join author as a on a.actor_id = l.actor_id
left join suspicion as s on s.label_id = l.label_id
left join others as o on o.label_id = l.label_id
where l.label_id = k.label_id;

-- name: sizes
-- How many labels of each actor are in the lot.
select a.name, count(*) as n
from pg_temp.review_lot as k
join core.actor as a on a.actor_id = k.actor_id
group by a.name order by a.name;

-- name: add
-- Writes down a plan.
insert into core.review_plan (
    name, kind, predicate, parameters, seed, revision, n_lot, max_wrong, error_limit, confidence
)
values (
    %(name)s, %(kind)s, %(predicate)s, %(parameters)s, %(seed)s, nextval('core.revision'), %(n_lot)s,
    %(max_wrong)s, %(error_limit)s, %(confidence)s
)
returning plan_id;

-- name: draw
-- Draws n labels of the lot, or n of each actor: the riskiest, else by a hash of their ids.
insert into core.review_plan_item (plan_id, label_id, media_id, actor_id, rank, risk)
select
    %(plan_id)s, d.label_id, d.media_id, d.actor_id,
    row_number() over (order by d.place, d.label_id), d.risk
from (
    select
        k.*,
        row_number() over (
            partition by case when %(each)s then k.actor_id end
            order by k.risk desc nulls last, hashint8extended(k.label_id, %(seed)s), k.label_id
        ) as place
    from pg_temp.review_lot as k
) as d
where d.place <= %(n)s;

-- name: open_tasks
-- A review task for each label of the plans that waits, unless it has one or somebody skipped it.
insert into core.task (kind, media_id, label_id, priority)
select 'review', i.media_id, i.label_id, %(priority)s
from (
    select distinct on (i.label_id) i.label_id, i.media_id, i.plan_id, i.rank
    from smartdb.review_plan_item as i
    where
        i.outcome = 'open' and (%(plan)s::text is null or i.plan = %(plan)s)
        and not exists (
            select from core.task as t
            where
                t.kind = 'review' and t.label_id = i.label_id and t.state = 'skipped'
                and t.assignee_id is not null
        )
    order by i.label_id, i.plan_id
) as i
order by i.plan_id, i.rank
on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot)
where state in ('open', 'claimed') do nothing;

-- name: rejected
-- Plans whose lot was not accepted and whose rest is not looked at yet.
select p.plan_id, p.plan, p.predicate, r.revision
from smartdb.review_plan as p
join core.review_plan as r on r.plan_id = p.plan_id
where
    p.state = 'rejected' and p.screened_at is null and (%(plan)s::text is null or p.plan = %(plan)s)
order by p.plan_id;

-- name: screen
-- Takes the rest of a lot into its plan: what was in it and still stands unreviewed.
insert into core.review_plan_item (plan_id, label_id, media_id, actor_id, rank, is_screening)
select
    %(plan_id)s, l.label_id, l.media_id, l.actor_id,
    (select max(i.rank) from core.review_plan_item as i where i.plan_id = %(plan_id)s)
    + row_number() over (order by l.label_id), true
from smartdb.label_where(%(predicate)s) as w
join smartdb.label as l on l.label_id = w.label_id
where l.review_state = 'unreviewed' and l.rev_from <= %(revision)s
on conflict (plan_id, label_id) do nothing;

-- name: screened
-- Says that the rest of a lot was taken in.
update core.review_plan as p set screened_at = clock_timestamp() where p.plan_id = %(plan_id)s;

-- name: plans
-- Plans with what they found, the newest first; one or all.
select
    p.plan, p.kind, p.n_lot, p.n_sample, p.n_checked, p.n_wrong, p.n_open, p.error_rate, p.low, p.high,
    p.confidence, p.max_wrong, p.error_limit, p.state, p.finding
from smartdb.review_plan as p
where %(plan)s::text is null or p.plan = %(plan)s
order by p.plan_id desc;

-- name: annotators
-- What a plan found of each whose labels it drew.
select a.actor, a.n_sample, a.n_checked, a.n_wrong, a.error_rate, a.low, a.high
from smartdb.review_plan_annotator as a
where a.plan = %(plan)s
order by a.error_rate desc nulls last, a.actor;
