-- name: checkpoint
-- A revision that never moves.
select core.checkpoint();

-- name: ontologies
-- The ontologies that labels in force choose from.
select distinct o.name
from smartdb.media_class as c
join core.class as k on k.class_id = c.class_id
join core.ontology as o on o.ontology_id = k.ontology_id
order by o.name;

-- name: labelled
-- The label each media counts as at a revision, what it must not be parted from, and whether a
-- reviewer has settled it.
select
    c.media_id, c.label_id, c.class_id, hashtextextended(g.split_group, 0) as split_group,
    exists (
        select from core.review as r
        where r.label_id = c.label_id and r.verdict = 'accepted' and r.rev_to is null
    ) or exists (
        select from core.review as r where r.corrected_label_id = c.label_id and r.rev_to is null
    ) as is_settled
from smartdb.media_class_at(%(revision)s) as c
join core.class as k on k.class_id = c.class_id
join core.ontology as o on o.ontology_id = k.ontology_id
join smartdb.split_group as g on g.media_id = c.media_id
where o.name = %(ontology)s
order by c.media_id;

-- name: class_names
-- The names of classes, in the order of their ids.
select c.name from core.class as c where c.class_id = any (%(class_ids)s) order by c.class_id;

-- name: stage
-- Makes the table of what was examined.
drop table if exists pg_temp.examined_label;
create temp table examined_label (
    label_id bigint, media_id bigint, score real, suggested_class_id bigint, is_suspect boolean
) on commit drop;

-- name: drop_changed
-- Forgets what is no longer the label its media counts as: it was changed while we computed.
delete from pg_temp.examined_label as e
where not exists (
    select from smartdb.media_class as c
    where c.media_id = e.media_id and c.label_id = e.label_id
);

-- name: add_swapped
-- Suspects the labels, unless a reviewer has decided; open suspicions take the new score.
insert into core.label_issue as i (media_id, label_id, kind, score, suggested_class_id, run_id)
select e.media_id, e.label_id, 'swapped', e.score, e.suggested_class_id, %(run_id)s
from pg_temp.examined_label as e
where
    e.is_suspect
    and not exists (
        select from core.review as r
        where r.label_id = e.label_id and r.verdict = 'accepted' and r.rev_to is null
    )
order by e.score desc, e.label_id
on conflict (label_id, kind) do update set
    score = excluded.score, suggested_class_id = excluded.suggested_class_id,
    run_id = excluded.run_id
where i.state = 'open'
returning i.xmax = 0 as is_new;

-- name: drop_stale
-- Drops open suspicions of labels that were examined again and not suspected, or were closed.
delete from core.label_issue as i
using core.label as l
where
    l.label_id = i.label_id and i.kind = 'swapped' and i.state = 'open'
    and i.run_id <> %(run_id)s
    and (
        l.rev_to is not null
        or exists (select from pg_temp.examined_label as e where e.label_id = i.label_id)
    )
returning i.label_id;

-- name: add_conflicting
-- Suspects the labels of media that one importer puts in several classes: all but one are wrong.
with torn as (
    select
        l.media_id, l.label_id, 1 - 1 / count(*) over (partition by l.media_id, l.actor_id)::real as score,
        case
            when count(*) over (partition by l.media_id, l.actor_id) = 2
                then sum(l.class_id) over (partition by l.media_id, l.actor_id) - l.class_id
        end as other_class_id
    from core.label as l
    where
        l.kind = 'classification' and l.rev_to is null and l.origin = 'import'
        and l.media_id in (
            select k.media_id from core.label as k
            where k.kind = 'classification' and k.rev_to is null and k.origin = 'import'
            group by k.media_id having count(*) > 1
        )
)
insert into core.label_issue as i (media_id, label_id, kind, score, suggested_class_id, run_id)
select t.media_id, t.label_id, 'conflicting', t.score, t.other_class_id, %(run_id)s
from torn as t
where t.score > 0
order by t.label_id
on conflict (label_id, kind) do update set
    score = excluded.score, suggested_class_id = excluded.suggested_class_id
where i.state = 'open' and i.score <> excluded.score
returning i.xmax = 0 as is_new;

-- name: drop_settled_conflicts
-- Drops open conflicts of labels that are closed or the only class left of their importer.
delete from core.label_issue as i
using core.label as l
where
    l.label_id = i.label_id and i.kind = 'conflicting' and i.state = 'open'
    and (
        l.rev_to is not null
        or not exists (
            select from core.label as k
            where
                k.media_id = l.media_id and k.actor_id = l.actor_id and k.label_id <> l.label_id
                and k.kind = 'classification' and k.rev_to is null
        )
    )
returning i.label_id;

-- name: issues
-- Suspicions in a state, most suspicious first.
select i.issue_id, i.label_id, i.media_id, i.class, i.suggested_class, i.kind, i.score, i.state, i.uri
from smartdb.label_issue as i
where
    (%(state)s::text is null or i.state = %(state)s) and (i.state <> 'open' or i.is_live)
    and (%(kind)s::text is null or i.kind = %(kind)s)
order by i.score desc, i.issue_id
limit %(n)s;

-- name: last
-- The last successful run on exactly these labels with these settings.
select r.run_id, r.counts
from core.run as r
where
    r.kind = 'label_issues' and r.status = 'succeeded' and r.parameters = %(parameters)s
    and r.seed = %(seed)s and r.code_version = %(code_version)s
order by r.run_id desc
limit 1;
