-- Adds a labelling function. Its condition is tried first: one that does not work is not kept.
create function smartdb.add_labelling_function(
    name text, class text, predicate text, ontology text default null, note text default null,
    replace boolean default false
)
returns bigint
language plpgsql as $$
declare
    chosen constant bigint := smartdb.require_class(class, ontology);
begin
    if replace then
        update core.labelling_function as f
        set class_id = chosen, predicate = add_labelling_function.predicate,
            note = coalesce(add_labelling_function.note, f.note)
        where f.name = add_labelling_function.name;
    end if;
    if not replace or not found then
        insert into core.labelling_function (name, class_id, predicate, note)
        values (add_labelling_function.name, chosen, add_labelling_function.predicate, add_labelling_function.note);
    end if;
    return (select count(*) from smartdb.labelling_function_vote(add_labelling_function.name));
exception when unique_violation then
    raise exception 'there is a labelling function %', add_labelling_function.name
        using errcode = 'SD005', hint = 'choose another name, drop it, or replace it';
end
$$;
comment on function smartdb.add_labelling_function(text, text, text, text, text, boolean) is
    'Adds a condition on smartdb.media, read as m, that votes for a class, or replaces the one of that name; returns how many '
    'media it votes for. Needs smartdb_writer. SD001 for an unknown class, SD002 for a condition that does not work, SD005 for '
    'a name that is taken.';

-- example:
--   select smartdb.add_labelling_function('seen at night', 'cat', 'm.brightness < 0.2')
-- result:
--   3
