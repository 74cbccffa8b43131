-- name: add
-- Adds or replaces a labelling function, and how many media it votes for.
select smartdb.add_labelling_function(
    %(name)s, %(class)s, %(predicate)s, %(ontology)s, %(note)s, %(replace)s
);

-- name: drop
-- Forgets a labelling function.
select smartdb.drop_labelling_function(%(name)s);

-- name: list
-- All labelling functions, or those of an ontology.
select f.name, f.ontology, f.class, f.class_id, f.predicate, f.note
from smartdb.labelling_function as f
where %(ontology)s::text is null or f.ontology = %(ontology)s
order by f.name;

-- name: quality
-- How far they reach, whether they agree, and how often gold bears them out.
select q.name, q.ontology, q.class, q.n_votes, q.coverage, q.overlap, q.conflict, q.n_gold, q.accuracy
from smartdb.labelling_function_quality as q
where %(ontology)s::text is null or q.ontology = %(ontology)s
order by q.name;

-- name: media
-- All media, by id.
select m.media_id from core.media as m where m.erased_at is null order by m.media_id;

-- name: shares
-- How many media count as each class in use of an ontology.
select c.class_id, count(k.media_id) as n
from smartdb.ontology_class as c
left join smartdb.media_class as k on k.class_id = c.class_id
where c.ontology = %(ontology)s and c.version_to is null
group by c.class_id
order by c.class_id;
