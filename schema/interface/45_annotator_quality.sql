-- How good each annotator is: on gold, against the consensus, and in review, with 95 % intervals.
create view smartdb.annotator_quality as
with reviewed as (
    select r.labelled_by as actor, count(*) as n, count(*) filter (where r.verdict = 'accepted') as n_right
    from smartdb.review as r group by r.labelled_by
),
measured as (
    select j.actor, count(*) as n, count(*) filter (where j.class_id = g.class_id) as n_right
    from smartdb.judgement as j
    join (
        select t.media_id, k.ontology_id, t.class_id, min(t.label_id) as label_id
        from smartdb.gold as t join core.class as k on k.class_id = t.class_id
        where t.kind = 'classification' group by t.media_id, k.ontology_id, t.class_id
    ) as g on g.media_id = j.media_id and g.ontology_id = j.ontology_id and g.label_id <> j.label_id
    group by j.actor
),
compared as (
    select j.actor, count(*) as n, count(*) filter (where j.class_id = l.class_id) as n_right
    from smartdb.judgement as j
    join smartdb.label_history as l on l.media_id = j.media_id
    join core.class as k on k.class_id = l.class_id and k.ontology_id = j.ontology_id
    where l.rev_to is null and l.origin = 'consensus' and l.kind = 'classification'
    group by j.actor
)
select
    actor, coalesce(r.n, 0) as n_reviewed, coalesce(r.n_right, 0) as n_accepted,
    r.n_right / r.n::double precision as accepted, rw.low as accepted_low, rw.high as accepted_high,
    coalesce(g.n, 0) as n_gold, g.n_right / g.n::double precision as gold_accuracy, gw.low as gold_low, gw.high as gold_high,
    coalesce(c.n, 0) as n_consensus, c.n_right / c.n::double precision as consensus_agreement,
    cw.low as consensus_low, cw.high as consensus_high
from reviewed as r
full join measured as g using (actor)
full join compared as c using (actor)
cross join lateral smartdb.wilson(r.n_right, r.n) as rw
cross join lateral smartdb.wilson(g.n_right, g.n) as gw
cross join lateral smartdb.wilson(c.n_right, c.n) as cw;

comment on view smartdb.annotator_quality is
    'How good each annotator is: on gold, against the consensus, and in review, with 95 % Wilson intervals. Gold tells the '
    'truth; the consensus counts the annotator''s own vote, and reviews that looked for errors make everybody look worse.';
comment on column smartdb.annotator_quality.actor is 'Whose labels.';
comment on column smartdb.annotator_quality.n_reviewed is 'Label states with a verdict.';
comment on column smartdb.annotator_quality.n_accepted is 'Those accepted.';
comment on column smartdb.annotator_quality.accepted is 'Share accepted, 0 to 1.';
comment on column smartdb.annotator_quality.accepted_low is 'Lower end of the interval.';
comment on column smartdb.annotator_quality.accepted_high is 'Upper end of the interval.';
comment on column smartdb.annotator_quality.n_gold is 'Judgements of media whose class is gold, said by itself; none for annotators, who do not see gold.';
comment on column smartdb.annotator_quality.gold_accuracy is 'Share of these that are right.';
comment on column smartdb.annotator_quality.gold_low is 'Lower end of the interval.';
comment on column smartdb.annotator_quality.gold_high is 'Upper end of the interval.';
comment on column smartdb.annotator_quality.n_consensus is 'Judgements of media that have a consensus.';
comment on column smartdb.annotator_quality.consensus_agreement is 'Share of these that say what the consensus says.';
comment on column smartdb.annotator_quality.consensus_low is 'Lower end of the interval.';
comment on column smartdb.annotator_quality.consensus_high is 'Upper end of the interval.';

-- example:
--   select actor, n_reviewed, accepted, accepted_low, accepted_high, n_gold, n_consensus
--   from smartdb.annotator_quality order by actor
-- result:
--   ana | 0 | None | None | None | 0 | 1
--   folder names | 2 | 0.5 | 0.09453 | 0.9055 | 0 | 1
