-- name: random
-- The next media of a random sample.
select s.media_id, s.score, s.reason
from smartdb.sample_random(%(n)s, %(seed)s, %(predicate)s) as s;

-- name: stratified
-- The next media of a stratified sample.
select s.media_id, s.score, s.reason
from smartdb.sample_stratified(%(n)s, %(seed)s, %(predicate)s, %(stratum)s) as s;

-- name: balanced
-- The next media of a balanced sample.
select s.media_id, s.score, s.reason
from smartdb.sample_balanced(%(n)s, %(seed)s, %(predicate)s, %(ratio)s, %(stratum)s) as s;

-- name: weighted
-- The next media of a weighted sample.
select s.media_id, s.score, s.reason
from smartdb.sample_weighted(%(n)s, %(seed)s, %(predicate)s, %(weight)s) as s;

-- name: near
-- The nearest media.
select s.media_id, s.score, s.reason
from smartdb.sample_near(%(n)s, %(seed)s, %(predicate)s, %(query)s, %(encoder)s) as s;

-- name: uncertain
-- The media that a run was least sure of.
select s.media_id, s.score, s.reason
from smartdb.sample_uncertain(%(n)s, %(seed)s, %(predicate)s, %(run)s, %(measure)s) as s;

-- name: hard
-- The train items that a training run found hardest.
select s.media_id, s.score, s.reason
from smartdb.sample_hard(%(n)s, %(seed)s, %(predicate)s, %(run)s, %(measure)s) as s;

-- name: without_vector
-- How many candidates an encoder has no vector of, and the first.
select count(*), min(w.media_id)
from smartdb.media_where(%(predicate)s) as w
where not exists (select from {vectors} as v where v.media_id = w.media_id);

-- name: without_prediction
-- How many candidates a run did not predict, and the first.
select count(*), min(w.media_id)
from smartdb.media_where(%(predicate)s) as w
where not exists (
    select from smartdb.prediction as p where p.run_id = %(run)s and p.media_id = w.media_id
);

-- name: media_vector
-- The vector of a media.
select smartdb.vector_of(%(of)s, %(encoder)s);

-- name: prompt_vector
-- The vector of a text.
select smartdb.prompt(%(of)s::text, %(encoder)s::text);

-- name: groups
-- The group of each media by one way to group.
select m.media_id, case %(by)s
    when 'group' then m.group_key
    when 'source' then m.source
    when 'duplicate' then (
        select d.group_id::text from smartdb.duplicate_group as d where d.media_id = m.media_id
    )
    when 'class' then (
        select c.class from smartdb.media_class as c where c.media_id = m.media_id
    )
end
from smartdb.media as m
where m.media_id = any (%(media_ids)s);

-- name: evaluated
-- The model that a run predicted with, what kind of run it is, and the encoder the model reads.
select r.kind, e.model_id, en.name
from core.evaluation as e
join core.run as r on r.run_id = e.run_id
left join core.model as m on m.model_id = e.model_id
left join core.encoder as en on en.encoder_id = m.encoder_id
where e.run_id = %(run_id)s and r.status = 'succeeded';
