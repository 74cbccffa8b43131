-- The identity of a class by name; an unknown class is an error, never a new class.
create function smartdb.require_class(class text) returns bigint
language plpgsql stable as $$
declare
    found_ids bigint[] := array(select o.class_id from smartdb.ontology_tree as o where o.class = require_class.class);
begin
    if cardinality(found_ids) = 0 then
        raise exception 'no class %', class
            using errcode = 'SD001', hint = 'see: select path from smartdb.ontology_tree';
    elsif cardinality(found_ids) > 1 then
        raise exception 'class % is in several ontologies or branches', class
            using errcode = 'SD002', hint = 'see: select ontology, path from smartdb.ontology_tree';
    end if;
    return found_ids[1];
end
$$;
comment on function smartdb.require_class(text) is
    'The class_id of a class in use by its name. SD001 if there is none, SD002 if the name is not unique.';
