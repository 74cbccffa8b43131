-- The ontologies, each with its newest version.
create view smartdb.ontology as
select
    o.name as ontology, max(v.version) as version, o.note, o.created_at
from core.ontology as o
left join core.ontology_version as v on v.ontology_id = o.ontology_id
group by o.ontology_id;

comment on view smartdb.ontology is 'The ontologies: named sets of classes that labels choose from, in versions.';
comment on column smartdb.ontology.ontology is 'Name of the ontology.';
comment on column smartdb.ontology.version is 'Number of its newest version.';
comment on column smartdb.ontology.note is 'Instructions for annotators.';
comment on column smartdb.ontology.created_at is 'When it was made.';

-- example:
--   select ontology, version, note from smartdb.ontology order by ontology
-- result:
--   animals | 1 | None
--   garden | 3 | None
