-- What labels of a class may say besides the class.
create view smartdb.class_attribute as
select
    o.name as ontology, c.name as class, a.name as attribute, a.type, a.choices, a.minimum, a.maximum,
    a.is_required, a.condition, a.note, a.place, a.version_from, a.version_to, a.class_id,
    a.attribute_id, a.replaces_attribute_id
from core.class_attribute as a
join core.class as c on c.class_id = a.class_id
join core.ontology as o on o.ontology_id = c.ontology_id;

comment on view smartdb.class_attribute is
    'Attributes of classes: in version v if version_from <= v and (version_to is null or version_to > v).';
comment on column smartdb.class_attribute.ontology is 'Name of the ontology.';
comment on column smartdb.class_attribute.class is 'Name of the class whose labels carry it.';
comment on column smartdb.class_attribute.attribute is 'Name of the attribute.';
comment on column smartdb.class_attribute.type is 'text, number, choice (one of), multi (some of) or boolean.';
comment on column smartdb.class_attribute.choices is 'What may be chosen.';
comment on column smartdb.class_attribute.minimum is 'Least number that is allowed; null: no limit.';
comment on column smartdb.class_attribute.maximum is 'Greatest number that is allowed; null: no limit.';
comment on column smartdb.class_attribute.is_required is 'Whether a label must carry it, where its condition holds.';
comment on column smartdb.class_attribute.condition is
    'Other attributes with the values at which this one may be given; null: always.';
comment on column smartdb.class_attribute.note is 'What annotators read about it.';
comment on column smartdb.class_attribute.place is 'Its place in the form, from 1.';
comment on column smartdb.class_attribute.version_from is 'First version that has it so.';
comment on column smartdb.class_attribute.version_to is 'First version that no longer has it so; null: it is in use.';
comment on column smartdb.class_attribute.class_id is 'Identity of the class.';
comment on column smartdb.class_attribute.attribute_id is 'Identity of this state of the attribute.';
comment on column smartdb.class_attribute.replaces_attribute_id is 'What it was before it changed or got its name.';

-- example:
--   select class, attribute, type, choices, is_required, condition from smartdb.class_attribute
--   where ontology = 'garden' and version_to is null order by class, place
-- result:
--   blossom | colour | choice | ['red', 'white'] | True | None
--   blossom | shade | choice | ['dark', 'light'] | False | {'colour': ['red']}
