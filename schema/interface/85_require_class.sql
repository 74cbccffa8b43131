-- The identity of a class by name; an unknown class is an error, never a new class.
create function smartdb.require_class(class text, ontology text default null) returns bigint
language plpgsql stable as $$
declare
    found_ids bigint[] := array(
        select o.class_id from smartdb.ontology_tree as o
        where o.class = require_class.class
            and (require_class.ontology is null or o.ontology = require_class.ontology)
    );
begin
    if cardinality(found_ids) = 0 then
        raise exception 'no class %', concat_ws(' in ontology ', class, ontology)
            using errcode = 'SD001', hint = 'see: select ontology, path from smartdb.ontology_tree';
    elsif cardinality(found_ids) > 1 then
        raise exception 'class % is in several ontologies', class
            using errcode = 'SD002', hint = 'name the ontology too';
    end if;
    return found_ids[1];
end
$$;
comment on function smartdb.require_class(text, text) is
    'The class_id of a class in use, by its name and, where several ontologies have that name, its ontology. '
    'SD001 if there is none, SD002 if the name is not unique.';

-- example:
--   select smartdb.require_class('dog', 'animals')
-- result:
--   3
