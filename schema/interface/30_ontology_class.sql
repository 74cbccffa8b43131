-- Classes of each ontology, retired ones too.
create view smartdb.ontology_class as
select
    o.name as ontology, c.name as class, c.class_id, c.parent_class_id, c.version_from, c.version_to,
    c.replaces_class_id
from core.class as c
join core.ontology as o using (ontology_id);

comment on view smartdb.ontology_class is
    'Classes of all versions of an ontology: in version v if version_from <= v and (version_to is null or version_to > v).';
comment on column smartdb.ontology_class.ontology is 'Name of the ontology.';
comment on column smartdb.ontology_class.class is 'Name of the class.';
comment on column smartdb.ontology_class.class_id is 'Identity of the class.';
comment on column smartdb.ontology_class.parent_class_id is 'The class above it.';
comment on column smartdb.ontology_class.version_from is 'First ontology version that has it.';
comment on column smartdb.ontology_class.version_to is 'First that no longer has it; null: it is in use.';
comment on column smartdb.ontology_class.replaces_class_id is 'The retired class of which it is the new name.';

-- example:
--   select class, version_from, version_to from smartdb.ontology_class where ontology = 'animals'
--   order by class
-- result:
--   cat | 1 | None
--   dog | 1 | None
--   pet | 1 | None
