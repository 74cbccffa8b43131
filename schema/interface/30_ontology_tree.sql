-- Classes of each ontology in use, with their place in the tree.
create view smartdb.ontology_tree as
with recursive tree as (
    select
        c.ontology_id, c.class_id, c.name, c.parent_class_id, c.kinds, c.version_from,
        0 as depth, c.name as path
    from core.class as c where c.parent_class_id is null and c.version_to is null
    union all
    select
        c.ontology_id, c.class_id, c.name, c.parent_class_id, c.kinds, c.version_from,
        t.depth + 1, t.path || ' > ' || c.name
    from core.class as c join tree as t on c.parent_class_id = t.class_id
    where c.version_to is null
)
select
    o.name as ontology, t.path, t.depth, t.name as class, t.class_id, t.parent_class_id,
    t.kinds, t.version_from
from tree as t
join core.ontology as o using (ontology_id);

comment on view smartdb.ontology_tree is 'Classes in use, with their place in the tree.';
comment on column smartdb.ontology_tree.ontology is 'Name of the ontology.';
comment on column smartdb.ontology_tree.path is 'Names from the root to the class.';
comment on column smartdb.ontology_tree.depth is '0 at the root.';
comment on column smartdb.ontology_tree.class is 'Name of the class.';
comment on column smartdb.ontology_tree.class_id is 'Identity of the class.';
comment on column smartdb.ontology_tree.parent_class_id is 'The class above it.';
comment on column smartdb.ontology_tree.kinds is 'Kinds of label it may be used in.';
comment on column smartdb.ontology_tree.version_from is 'First ontology version that has it.';

-- example:
--   select ontology, path, depth from smartdb.ontology_tree order by path
-- result:
--   animals | pet | 0
--   animals | pet > cat | 1
--   animals | pet > dog | 1
--   garden | plant | 0
--   garden | plant > blossom | 1
