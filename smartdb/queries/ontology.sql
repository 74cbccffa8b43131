-- name: find
-- The ontology of this name and its newest version.
select o.ontology_id, max(v.version) as version
from core.ontology as o
join core.ontology_version as v using (ontology_id)
where o.name = %(ontology)s
group by o.ontology_id;

-- name: lock
-- Until the transaction ends nobody else changes the ontology of this name.
select pg_advisory_xact_lock(7360405, hashtext(%(ontology)s));

-- name: create
-- Makes an ontology without a version.
insert into core.ontology (name, note) values (%(ontology)s, %(note)s) returning ontology_id;

-- name: add_version
-- Opens the next version.
insert into core.ontology_version (ontology_id, version, message)
values (%(ontology_id)s, %(version)s, %(message)s);

-- name: add_classes
-- Adds classes, each with the name of its parent or null.
insert into core.class (ontology_id, name, parent_class_id, version_from)
select %(ontology_id)s, n.name, p.class_id, %(version)s
from unnest(%(names)s::text[], %(parents)s::text[]) with ordinality as n (name, parent, place)
left join core.class as p
    on p.ontology_id = %(ontology_id)s and p.name = n.parent and p.version_to is null
order by n.place;

-- name: classes
-- The classes in use, in order of their place in the tree.
select t.class_id, t.class, p.class as parent, t.path
from smartdb.ontology_tree as t
left join smartdb.ontology_tree as p on p.class_id = t.parent_class_id
where t.ontology = %(ontology)s
order by t.path, t.class_id;

-- name: names
-- The names of all ontologies.
select o.ontology from smartdb.ontology as o order by o.ontology;
