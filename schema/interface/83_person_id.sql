-- The identity of a person by name; a name that is new is registered, one of an importer refused.
create function smartdb.person_id(name text) returns bigint
language plpgsql volatile as $$
declare
    known smartdb.actor;
begin
    if coalesce(btrim(person_id.name), '') = '' then
        raise exception 'whoever labels or reviews needs a name'
            using errcode = 'SD002', hint = 'give the name of a person';
    end if;
    select a.* into known from smartdb.actor as a where a.name = person_id.name;
    if not found then
        insert into core.actor (name, kind) values (person_id.name, 'person')
        on conflict on constraint actor_name_key do nothing;
        select a.* into known from smartdb.actor as a where a.name = person_id.name;
    end if;
    if known.kind <> 'person' then
        raise exception 'actor % is of kind %, not a person', person_id.name, known.kind
            using errcode = 'SD002', hint = 'give the name of a person';
    end if;
    return known.actor_id;
end
$$;
comment on function smartdb.person_id(text) is
    'The actor_id of a person by name, registered at their first answer. SD002 for no name, and for the name of a model or importer.';

-- example:
--   select smartdb.person_id('ana')
-- result:
--   2
