-- name: pairs
-- How far every two annotators agree.
select a.ontology, a.actor_a, a.actor_b, a.n, a.agreement, a.kappa
from smartdb.agreement as a
where %(ontology)s::text is null or a.ontology = %(ontology)s
order by a.ontology, a.actor_a, a.actor_b;

-- name: overall
-- How far all annotators agree.
select a.ontology, a.n_media, a.n_judgements, a.agreement, a.fleiss_kappa, a.alpha
from smartdb.agreement_overall as a
where %(ontology)s::text is null or a.ontology = %(ontology)s
order by a.ontology;

-- name: classes
-- How far annotators agree on each class, the worst first.
select a.ontology, a.class as class_name, a.n_media, a.n_judgements, a.agreement, a.alpha
from smartdb.agreement_by_class as a
where %(ontology)s::text is null or a.ontology = %(ontology)s
order by a.ontology, a.alpha, a.class;

-- name: weeks
-- How far annotators agree on what was judged in each week.
select a.ontology, a.week, a.n_media, a.n_judgements, a.agreement, a.alpha
from smartdb.agreement_over_time as a
where %(ontology)s::text is null or a.ontology = %(ontology)s
order by a.ontology, a.week;

-- name: quality
-- How good each annotator is.
select
    q.actor, q.n_gold, q.gold_accuracy, q.gold_low, q.gold_high, q.n_consensus,
    q.consensus_agreement, q.consensus_low, q.consensus_high, q.n_reviewed, q.accepted,
    q.accepted_low, q.accepted_high
from smartdb.annotator_quality as q order by q.actor;

-- name: drift
-- The answers of each annotator, block by block.
select
    d.actor, d.ontology, d.block, d.n, d.from_at, d.to_at, d.agreement, d.earlier_agreement, d.z, d.p,
    d.is_drift
from smartdb.annotator_drift_by(%(n)s) as d order by d.actor, d.ontology, d.block;

-- name: outlines
-- The boxes or masks that annotators drew, those that wait for no verdict's word.
select l.media_id, l.actor_id, a.name as actor, l.class_id, c.name as class, l.x, l.y, l.w, l.h, l.shape
from core.label as l
join core.actor as a on a.actor_id = l.actor_id
join core.class as c on c.class_id = l.class_id
join core.ontology as o on o.ontology_id = c.ontology_id
where
    l.rev_to is null and l.kind = %(kind)s and l.origin in ('human', 'import')
    and o.name = %(ontology)s
    and not exists (
        select from core.review as r where r.corrected_label_id = l.label_id and r.rev_to is null
    )
order by l.media_id, l.actor_id, l.label_id;
