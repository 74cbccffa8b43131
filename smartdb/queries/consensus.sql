-- name: ontologies
-- The ontologies in whose classes media were judged.
select distinct j.ontology from smartdb.judgement as j order by j.ontology;

-- name: judgements
-- Who said which class of which media; gold is what methods are measured by, so it has no vote.
select j.media_id, j.actor_id, j.class_id from smartdb.judgement as j
where
    j.ontology = %(ontology)s
    and j.label_id not in (select g.label_id from smartdb.gold as g)
order by j.media_id, j.actor_id;

-- name: verdicts
-- The class that a reviewer's word gives a media: the last verdict that stands.
select distinct on (l.media_id) l.media_id, l.class_id
from core.review as r
join core.label as l on l.label_id = coalesce(r.corrected_label_id, r.label_id)
join core.class as k on k.class_id = l.class_id
join core.ontology as o on o.ontology_id = k.ontology_id
where
    r.rev_to is null and r.verdict <> 'rejected'
    and l.rev_to is null and l.kind = 'classification' and o.name = %(ontology)s
order by l.media_id, r.review_id desc;

-- name: gold
-- The class of each media that is known; none where gold contradicts itself.
select g.media_id, min(g.class_id) as class_id
from smartdb.gold as g
join smartdb.ontology_class as k on k.class_id = g.class_id
where g.kind = 'classification' and k.ontology = %(ontology)s
group by g.media_id having min(g.class_id) = max(g.class_id);

-- name: standing
-- What the consensus says now: label, media and class.
select c.label_id, c.media_id, c.class_id
from smartdb.consensus as c
join smartdb.ontology_class as k on k.class_id = c.class_id
where c.kind = 'classification' and k.ontology = %(ontology)s
order by c.label_id;

-- name: predictions
-- The run whose out-of-fold probabilities were made last for an ontology.
select r.run_id from core.run as r
where
    r.kind = 'label_issues' and r.status = 'succeeded' and r.parameters ->> 'ontology' = %(ontology)s
order by r.run_id desc limit 1;

-- name: predicted_classes
-- The classes of the probabilities of a run, in order.
select e.class_ids from core.evaluation as e where e.run_id = %(run_id)s;

-- name: probabilities
-- The probabilities of a run, by media.
select p.media_id, p.probability from core.prediction as p
where p.run_id = %(run_id)s order by p.media_id;

-- name: last
-- The last run that saw exactly this.
select r.run_id, r.counts from core.run as r
where
    r.kind = 'consensus' and r.status = 'succeeded' and r.parameters = %(parameters)s
    and r.seed = %(seed)s and r.code_version = %(code_version)s
    and r.run_id = (
        select max(o.run_id) from core.run as o
        where o.kind = 'consensus' and o.status = 'succeeded'
            and o.parameters ->> 'ontology' = %(parameters)s::jsonb ->> 'ontology'
    );

-- name: stage
-- Makes the table of the answers.
drop table if exists pg_temp.consensus_answer, pg_temp.consensus_gone;
create temp table consensus_answer (
    media_id bigint, class_id bigint, confidence real, is_settled boolean
) on commit drop;
create temp table consensus_gone (media_id bigint, object_id bigint) on commit drop;

-- name: analyse
-- Tells the planner how many answers there are.
analyze pg_temp.consensus_answer;

-- name: moved
-- Media about which something was said while we computed: the next run takes them.
create temp table consensus_moved on commit drop as
select distinct l.media_id
from core.label as l
where
    l.kind = 'classification' and l.origin in ('human', 'import')
    and (l.rev_from > %(revision)s or l.rev_to > %(revision)s)
union
select l.media_id
from core.review as r
join core.label as l on l.label_id = r.label_id
where r.rev_from > %(revision)s or r.rev_to > %(revision)s;

-- name: close
-- Closes what is no longer the answer: another class, another method, or far from as sure.
with gone as (
    update core.label as l
    set rev_to = 0
    where
        l.origin = 'consensus' and l.kind = 'classification' and l.rev_to is null
        and l.class_id in (
            select k.class_id from smartdb.ontology_class as k where k.ontology = %(ontology)s
        )
        and l.media_id not in (select m.media_id from pg_temp.consensus_moved as m)
        and not exists (
            select from pg_temp.consensus_answer as a
            where
                a.media_id = l.media_id and a.class_id = l.class_id
                and (
                    a.is_settled
                    or (l.actor_id = %(actor_id)s and abs(a.confidence - l.confidence) <= %(margin)s)
                )
        )
    returning l.media_id, l.object_id
)
insert into consensus_gone (media_id, object_id)
select gone.media_id, min(gone.object_id) from gone group by gone.media_id;

-- name: add
-- Writes the answers that are not there yet, save what a reviewer has judged wrong.
insert into core.label (object_id, media_id, class_id, origin, actor_id, confidence, run_id)
select
    coalesce(g.object_id, nextval('core.label_object')), a.media_id, a.class_id, 'consensus',
    %(actor_id)s, a.confidence, %(run_id)s
from pg_temp.consensus_answer as a
left join pg_temp.consensus_gone as g on g.media_id = a.media_id
where
    a.media_id not in (select m.media_id from pg_temp.consensus_moved as m)
    and not exists (
        select from core.label as l
        where
            l.media_id = a.media_id and l.class_id = a.class_id and l.origin = 'consensus'
            and l.kind = 'classification' and l.rev_to is null
    )
    and (
        a.is_settled
        or not exists (
            select from core.label as l
            join core.review as v
                on v.label_id = l.label_id and v.verdict <> 'accepted' and v.rev_to is null
            where
                l.media_id = a.media_id and l.class_id = a.class_id
                and l.kind = 'classification' and l.origin = 'consensus'
        )
    )
order by a.media_id;

-- name: counts
-- How many answers stand, and about how many media something else is said meanwhile.
select
    (
        select count(*) from pg_temp.consensus_answer as a
        join core.label as l
            on l.media_id = a.media_id and l.class_id = a.class_id and l.origin = 'consensus'
            and l.kind = 'classification' and l.rev_to is null
    ) as n_standing,
    (select count(*) from pg_temp.consensus_gone) as n_closed,
    (
        select count(*) from pg_temp.consensus_answer as a
        where a.media_id in (select m.media_id from pg_temp.consensus_moved as m)
    ) as n_moved;
