-- The versions of each ontology, none of which ever changes.
create view smartdb.ontology_version as
select
    o.name as ontology, v.version, v.message, v.created_at,
    (
        select count(*) from core.class as c
        where
            c.ontology_id = v.ontology_id and c.version_from <= v.version
            and (c.version_to is null or c.version_to > v.version)
    ) as n_classes,
    (
        select count(*) from core.class_rule as r
        where r.ontology_id = v.ontology_id and r.version = v.version
    ) as n_rules,
    v.revision
from core.ontology_version as v
join core.ontology as o on o.ontology_id = v.ontology_id;

comment on view smartdb.ontology_version is 'The versions of each ontology, none of which ever changes.';
comment on column smartdb.ontology_version.ontology is 'Name of the ontology.';
comment on column smartdb.ontology_version.version is 'Number of the version, from 1.';
comment on column smartdb.ontology_version.message is 'What changed and why.';
comment on column smartdb.ontology_version.created_at is 'When it was made.';
comment on column smartdb.ontology_version.n_classes is 'How many classes it has.';
comment on column smartdb.ontology_version.n_rules is 'How many rules map labels to it; see smartdb.class_rule.';
comment on column smartdb.ontology_version.revision is 'Labels with a larger rev_from were written under it or a later one.';

-- example:
--   select version, message, n_classes, n_rules from smartdb.ontology_version where ontology = 'garden'
--   order by version
-- result:
--   1 | plants | 3 | 0
--   2 | polygons; shades of red | 3 | 0
--   3 | blossoms; weeds are plants | 2 | 2
