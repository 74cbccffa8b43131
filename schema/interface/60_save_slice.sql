-- Saves a predicate under a name. It is tried first: one that does not work is not saved.
create function smartdb.save_slice(
    name text, predicate text, note text default null, replace boolean default false
)
returns bigint
language plpgsql as $$
begin
    if replace then
        update core.slice as s
        set predicate = save_slice.predicate, note = coalesce(save_slice.note, s.note)
        where s.name = save_slice.name and s.predicate is not null;
    end if;
    if not replace or not found then
        insert into core.slice (name, predicate, note)
        values (save_slice.name, save_slice.predicate, save_slice.note);
    end if;
    return (select count(*) from smartdb.slice_item(save_slice.name));
exception when unique_violation then
    raise exception 'there is a slice %', save_slice.name
        using errcode = 'SD005', hint = 'choose another name, drop it, or replace its predicate (a set has none)';
end
$$;
comment on function smartdb.save_slice(text, text, text, boolean) is
    'Saves a condition on smartdb.media, read as m, as a slice, or replaces that of one there is; returns how many media '
    'fulfil it now. Needs smartdb_writer. SD002 for a predicate that does not work or leads back to the slice, SD005 for a name '
    'that is taken.';

-- example:
--   select smartdb.save_slice('dim and small', 'm.width < 50 and m.media_id in (select
--   smartdb.slice_item(''dim''))')
-- result:
--   5
