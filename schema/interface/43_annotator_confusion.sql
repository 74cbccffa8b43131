-- How often two annotators gave which classes to the same media.
create view smartdb.annotator_confusion as
with said as materialized (
    select j.media_id, j.ontology_id, j.actor_id, j.class_id from smartdb.judgement as j
),
met as (
    select
        a.ontology_id, a.actor_id as actor_a, b.actor_id as actor_b, a.class_id as class_a, b.class_id as class_b,
        count(*) as n
    from said as a
    join said as b using (media_id, ontology_id)
    where a.actor_id < b.actor_id
    group by a.ontology_id, a.actor_id, b.actor_id, a.class_id, b.class_id
),
named as (
    select o.name as ontology, a.name as actor_a, b.name as actor_b, c.name as class_a, d.name as class_b, m.n
    from met as m
    join core.ontology as o on o.ontology_id = m.ontology_id
    join core.actor as a on a.actor_id = m.actor_a
    join core.actor as b on b.actor_id = m.actor_b
    join core.class as c on c.class_id = m.class_a
    join core.class as d on d.class_id = m.class_b
)
select
    least(n.actor_a, n.actor_b) as actor_a, greatest(n.actor_a, n.actor_b) as actor_b,
    case when n.actor_a < n.actor_b then n.class_a else n.class_b end as class_a,
    case when n.actor_a < n.actor_b then n.class_b else n.class_a end as class_b,
    n.n, n.ontology
from named as n;

comment on view smartdb.annotator_confusion is
    'Of the media that two annotators judged, how many got which class from the one and from the other: what they confuse.';
comment on column smartdb.annotator_confusion.actor_a is 'One annotator.';
comment on column smartdb.annotator_confusion.actor_b is 'The other; later in the alphabet.';
comment on column smartdb.annotator_confusion.class_a is 'What the one said.';
comment on column smartdb.annotator_confusion.class_b is 'What the other said.';
comment on column smartdb.annotator_confusion.n is 'Of how many media.';
comment on column smartdb.annotator_confusion.ontology is 'Whose classes.';

-- example:
--   select actor_a, actor_b, class_a, class_b, n from smartdb.annotator_confusion order by class_a, class_b
-- result:
--   ana | folder names | cat | cat | 3
--   ana | folder names | dog | cat | 1
--   ana | folder names | dog | dog | 1
