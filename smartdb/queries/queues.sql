-- name: ask
-- Tasks for media that a project has not asked about, and among them some whose answer is known.
with asking as (
    select
        p.*, p.per_day * extract(epoch from clock_timestamp() - p.created_at) / 86400 as later
    from core.project as p where p.project_id = %(project_id)s
),
given as (
    select g.media_id, g.priority, g.prefill, g.place
    from unnest(
        %(media_ids)s::bigint[], %(priorities)s::double precision[], %(prefills)s::jsonb[]
    ) with ordinality as g (media_id, priority, prefill, place)
    join smartdb.media as m on m.media_id = g.media_id
),
gold_media as (
    select distinct g.media_id
    from smartdb.gold as g
    join core.class as c on c.class_id = g.class_id
    join asking as p on p.ontology_id = c.ontology_id
    join smartdb.media as m on m.media_id = g.media_id
    where g.kind = any (p.kinds)
),
wanted as (
    select g.*, lead(g.priority, 1, g.priority) over (order by g.priority desc, g.place) as next_priority
    from given as g
    where
        g.media_id not in (select k.media_id from gold_media as k)
        and not exists (
            select from core.task as t
            where
                t.project_id = %(project_id)s and t.media_id = g.media_id and t.kind = 'label'
        )
),
-- a number with the right mean, no more than what somebody of the project has not answered yet
gold_wanted as (
    select floor(p.gold_share / (1 - p.gold_share) * (select count(*) from wanted) + random()) as n
    from asking as p
),
people as (
    select count(distinct t.assignee_id) as n from core.task as t
    where t.project_id = %(project_id)s and t.kind = 'label'
),
gold_chosen as (
    select k.media_id, row_number() over () as number, g.prefill
    from gold_media as k
    left join given as g on g.media_id = k.media_id
    cross join lateral (
        select
            count(*) filter (where t.state in ('done', 'skipped')) as n_answers,
            count(*) filter (where t.state in ('open', 'claimed')) as n_pending
        from core.task as t
        where t.project_id = %(project_id)s and t.media_id = k.media_id and t.kind = 'label'
    ) as a
    where
        a.n_pending = 0
        and a.n_answers < (select greatest(e.n, p.overlap) from people as e cross join asking as p)
        and (g.prefill is not null or not exists (select from wanted as w where w.prefill is not null))
    order by a.n_answers, random()
    limit (select w.n from gold_wanted as w)
),
like_it as (
    select w.*, row_number() over (order by random()) as number from wanted as w
),
opened as (
    select w.media_id, w.priority, w.prefill, w.place from wanted as w
    union all
    select
        c.media_id, l.priority - random() * (l.priority - l.next_priority), c.prefill,
        l.place + random()
    from gold_chosen as c
    join like_it as l on l.number = c.number
),
made as (
    insert into core.task (kind, media_id, project_id, slot, priority, prefill)
    select
        'label', o.media_id, p.project_id, s.slot, o.priority - p.later, o.prefill
    from opened as o
    cross join asking as p
    cross join generate_series(1, p.overlap) as s (slot)
    order by o.priority desc, o.place, s.slot
    on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot) where state in ('open', 'claimed') do nothing
    returning task_id
)
select
    (select count(*) from wanted), (select count(*) from made), (select count(*) from gold_chosen);

-- name: oldest
-- The oldest media that fulfil a predicate and that a project has not asked about.
select w.media_id
from smartdb.media_where(%(predicate)s) as w
where not exists (
    select from core.task as t
    join core.project as p on p.project_id = t.project_id
    where p.name = %(project)s and t.media_id = w.media_id and t.kind = 'label'
)
order by w.media_id
limit %(n)s;

-- name: not_asked
-- The predicate of a project, without what it has asked about.
select format(
    '(%s) and not exists (select from smartdb.task as t'
    ' where t.project = %L and t.media_id = m.media_id and t.kind = ''label'')',
    %(predicate)s::text, %(project)s::text
);

-- name: newest_run
-- The newest run that predicted, of a model of the project's ontology.
select r.run_id
from smartdb.training_run as r
join core.model as m on m.run_id = r.run_id
join core.project as p on p.name = %(project)s
where exists (
    select from core.class as c
    where c.class_id = any (m.class_ids) and c.ontology_id = p.ontology_id
)
order by r.run_id desc
limit 1;

-- name: waiting
-- How many media of a project wait for an answer that nobody is giving.
select count(distinct t.media_id)
from core.task as t
where t.project_id = %(project_id)s and t.kind = 'label' and t.state = 'open';

-- name: has_predicted
-- Whether a run predicted anything.
select exists (select from smartdb.prediction as p where p.run_id = %(run_id)s);

-- name: prioritise
-- Gives waiting tasks the uncertainty of a run as priority.
update core.task as t
set priority = x.priority
from core.project as p, smartdb.prediction as r,
    lateral (
        select
            1 - r.margin
            - p.per_day * extract(epoch from t.created_at - p.created_at) / 86400 as priority
    ) as x
where
    t.project_id = %(project_id)s and t.state = 'open' and t.kind = 'label'
    and p.project_id = t.project_id
    and r.run_id = %(run_id)s and r.media_id = t.media_id
    and t.priority is distinct from x.priority
returning t.task_id;
