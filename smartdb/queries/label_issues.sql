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

-- name: settled
-- The labels that a reviewer has accepted, or put in the place of others.
select r.label_id from core.review as r where r.verdict = 'accepted' and r.rev_to is null
union
select r.corrected_label_id from core.review as r
where r.corrected_label_id is not null and r.rev_to is null;

-- name: classes
-- The classes of a run's predictions, in the order of their probabilities.
select e.class_ids from core.evaluation as e where e.run_id = %(run_id)s;

-- name: predicted
-- What a run predicted of labelled media that its model was not trained on, some thousand in a row.
select
    string_agg(
        int8send(p.media_id) || int8send(p.true_label_id) || int8send(p.true_class_id) || array_send(p.probability),
        ''::bytea
    )
from core.prediction as p
where
    p.run_id = %(run_id)s and p.true_label_id is not null
    and (
        p.split is distinct from 'train'
        or (select e.model_id is null from core.evaluation as e where e.run_id = %(run_id)s)
    )
group by p.media_id / 4096;

-- name: edges
-- The nearest neighbours of each media by an encoder, some thousand in a row.
select
    string_agg(
        int8send(n.media_id) || int8send(n.neighbour_id) || int2send(n.rank) || float4send(n.distance),
        ''::bytea
    )
from core.neighbour as n
join core.encoder as e on e.encoder_id = n.encoder_id
where e.name = %(encoder)s and n.rank <= %(k)s
group by n.media_id / 1024;

-- name: judged
-- What people and importers say of media that two or more of them gave one class each.
select s.media_id, s.actor_id, s.class_id
from (
    select
        l.media_id, l.actor_id, min(l.class_id) as class_id,
        count(*) over (partition by l.media_id) as n
    from core.label as l
    where l.kind = 'classification' and l.rev_to is null and l.origin in ('human', 'import')
    group by l.media_id, l.actor_id
    having count(*) = 1
) as s
where s.n > 1;

-- name: stage
-- Makes the table of the labels that are suspected.
drop table if exists pg_temp.suspected_label;
create temp table suspected_label (
    label_id bigint, media_id bigint, score real, suggested_class_id bigint
) on commit drop;

-- name: drop_changed
-- Forgets what is no longer the label its media counts as: it was changed while we computed.
with counted as materialized (
    select c.media_id, c.label_id from smartdb.media_class as c
    where c.media_id in (select s.media_id from pg_temp.suspected_label as s)
)
delete from pg_temp.suspected_label as s
where not exists (
    select from counted as c where c.media_id = s.media_id and c.label_id = s.label_id
);

-- name: add_swapped
-- Suspects the labels, unless a reviewer has decided; open suspicions take the new score.
insert into core.label_issue as i (media_id, label_id, kind, score, suggested_class_id, suggestion, run_id)
select
    s.media_id, s.label_id, 'swapped', s.score, s.suggested_class_id,
    jsonb_build_object('kind', 'classification', 'class', c.name), %(run_id)s
from pg_temp.suspected_label as s
join core.class as c on c.class_id = s.suggested_class_id
where
    not exists (
        select from core.review as r
        where r.label_id = s.label_id and r.verdict = 'accepted' and r.rev_to is null
    )
order by s.score desc, s.label_id
on conflict (label_id, kind) do update set
    score = excluded.score, suggested_class_id = excluded.suggested_class_id,
    suggestion = excluded.suggestion, run_id = excluded.run_id
where i.state = 'open'
returning i.xmax = 0 as is_new;

-- name: drop_stale
-- Drops open suspicions of labels that the run examined and did not suspect, or were closed.
delete from core.label_issue as i
using core.label as l
where
    l.label_id = i.label_id and i.kind = 'swapped' and i.state = 'open'
    and i.run_id <> %(run_id)s
    and (
        l.rev_to is not null
        or exists (
            select from core.label_score as s
            where s.run_id = %(run_id)s and s.part = i.label_id / 1024 and i.label_id = any (s.label_ids)
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

-- name: n_open
-- How many suspicions of a kind are open on live labels.
select count(*) from smartdb.label_issue as i
where i.kind = %(kind)s and i.state = 'open' and i.is_live;
