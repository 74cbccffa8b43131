-- Rules of thumb that vote for a class.
create view smartdb.labelling_function as
select f.function_id, f.name, o.name as ontology, c.name as class, f.predicate, f.note, f.created_at, f.class_id
from core.labelling_function as f
join core.class as c using (class_id)
join core.ontology as o using (ontology_id);

comment on view smartdb.labelling_function is
    'Labelling functions: conditions on media, each of which votes for a class where it holds and abstains elsewhere.';
comment on column smartdb.labelling_function.function_id is 'Identity of the function.';
comment on column smartdb.labelling_function.name is 'Its name.';
comment on column smartdb.labelling_function.ontology is 'Ontology of the class.';
comment on column smartdb.labelling_function.class is 'The class it votes for.';
comment on column smartdb.labelling_function.predicate is 'SQL condition on smartdb.media, read as m.';
comment on column smartdb.labelling_function.note is 'Why it should hold.';
comment on column smartdb.labelling_function.created_at is 'When it was made.';
comment on column smartdb.labelling_function.class_id is 'Identity of the class.';

-- example:
--   select name, class, predicate from smartdb.labelling_function order by name
-- result:
--   bright | dog | m.brightness > 0.3
--   early | cat | m.media_id < 8
