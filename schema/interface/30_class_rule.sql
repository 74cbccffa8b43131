-- What becomes of labels when a version of their ontology changes their class.
create view smartdb.class_rule as
select
    o.name as ontology, r.version, r.place, c.name as class, r.kind, r.condition, t.name as target,
    r.renamed, r.revalued, r.given, r.class_id, r.target_class_id
from core.class_rule as r
join core.ontology as o on o.ontology_id = r.ontology_id
join core.class as c on c.class_id = r.class_id
left join core.class as t on t.class_id = r.target_class_id;

comment on view smartdb.class_rule is
    'The mapping of labels to each version of an ontology: of the rules of its class, the first that fits a label applies.';
comment on column smartdb.class_rule.ontology is 'Name of the ontology.';
comment on column smartdb.class_rule.version is 'The version whose change it explains.';
comment on column smartdb.class_rule.place is 'Its place among the rules of the version, from 1.';
comment on column smartdb.class_rule.class is 'Class of the labels it is about.';
comment on column smartdb.class_rule.kind is 'Only labels of this kind; null: of any.';
comment on column smartdb.class_rule.condition is 'Only labels with one of these values of each attribute; null: all.';
comment on column smartdb.class_rule.target is 'The class they become; null: none, they stay and are listed in label_unfit.';
comment on column smartdb.class_rule.renamed is 'New names of attributes; null drops one.';
comment on column smartdb.class_rule.revalued is 'New values of attributes, by their old name; null drops one.';
comment on column smartdb.class_rule.given is 'Attributes that they get besides.';
comment on column smartdb.class_rule.class_id is 'Identity of the class.';
comment on column smartdb.class_rule.target_class_id is 'Identity of the class they become.';

-- example:
--   select version, class, condition, target, given from smartdb.class_rule where ontology = 'garden'
--   order by version, place
-- result:
--   3 | flower | None | blossom | None
--   3 | weed | None | plant | {'wanted': False}
