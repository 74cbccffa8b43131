-- name: not_live
-- Which of these are not live labels.
select g.label_id
from unnest(%(label_ids)s::bigint[]) as g (label_id)
where not exists (select from smartdb.label as l where l.label_id = g.label_id)
order by g.label_id
limit 1;

-- name: mark
-- Says that labels are true.
insert into core.gold (label_id, actor_id, reason)
select g.label_id, smartdb.person_id(%(actor)s), %(reason)s
from unnest(%(label_ids)s::bigint[]) as g (label_id)
group by g.label_id
order by g.label_id
on conflict (label_id) where rev_to is null do nothing
returning gold_id;

-- name: withdraw
-- Takes back that labels are true.
update core.gold set rev_to = 0
where label_id = any (%(label_ids)s::bigint[]) and rev_to is null
returning gold_id;

-- name: answers
-- Answers without a score about media with gold labels: how many of those, and how many were given.
select t.task_id, t.media_id, t.assignee_id, t.n_gold, count(a.label_id)::integer as n_given
from (
    select k.task_id, k.media_id, k.assignee_id, p.kinds, p.ontology_id, count(*)::integer as n_gold
    from core.task as k
    join core.project as p on p.project_id = k.project_id
    join smartdb.gold as g on g.media_id = k.media_id and g.kind = any (p.kinds)
    join core.class as c on c.class_id = g.class_id and c.ontology_id = p.ontology_id
    where
        k.kind = 'label' and k.state = 'done'
        and not exists (select from core.gold_score as s where s.task_id = k.task_id)
        and not exists (
            select from core.label as o
            where
                o.media_id = k.media_id and o.actor_id = k.assignee_id
                and o.label_id in (select e.label_id from smartdb.gold as e where e.media_id = k.media_id)
        )
    group by k.task_id, k.media_id, k.assignee_id, p.kinds, p.ontology_id
) as t
left join lateral (
    select distinct on (l.object_id) l.label_id
    from core.label as l
    join core.class as c on c.class_id = l.class_id and c.ontology_id = t.ontology_id
    where l.media_id = t.media_id and l.actor_id = t.assignee_id and l.kind = any (t.kinds)
    order by l.object_id, l.rev_from
) as a on true
group by t.task_id, t.media_id, t.assignee_id, t.n_gold
order by t.task_id;

-- name: pairs
-- Gold labels and labels of answers without a score that may be the same: class, kind, overlap.
select t.task_id, g.label_id as gold_id, a.label_id, x.iou
from core.task as t
join core.project as p on p.project_id = t.project_id
join smartdb.gold as g on g.media_id = t.media_id and g.kind = any (p.kinds)
join lateral (
    select distinct on (l.object_id) l.*
    from core.label as l
    where l.media_id = t.media_id and l.actor_id = t.assignee_id
    order by l.object_id, l.rev_from
) as a on a.class_id = g.class_id and a.kind = g.kind
cross join lateral (
    select coalesce(smartdb.box_iou(g.x, g.y, g.w, g.h, a.x, a.y, a.w, a.h), 1.0) as iou
) as x
where
    t.kind = 'label' and t.state = 'done' and x.iou >= %(least)s
    and not exists (select from core.gold_score as s where s.task_id = t.task_id);

-- name: write
-- Keeps the score of an answer.
insert into core.gold_score (task_id, media_id, actor_id, n_gold, n_given, n_matched)
values (%(task_id)s, %(media_id)s, %(actor_id)s, %(n_gold)s, %(n_given)s, %(n_matched)s);

-- name: summary
-- How right each person is on what is known.
select g.project, g.actor, g.n, g.n_right, g.mean_score, g.last_done_at
from smartdb.gold_summary as g
where %(project)s::text is null or g.project = %(project)s
order by g.project, g.mean_score, g.actor;
