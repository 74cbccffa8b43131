-- Saves the media that fulfil a condition now as a set, which stays the same while data change.
create function smartdb.save_set(name text, predicate text, note text default null) returns bigint
language plpgsql as $$
begin
    insert into core.slice (name, note) values (save_set.name, save_set.note);
    return smartdb.add_to_slice(save_set.name, save_set.predicate);
exception when unique_violation then
    raise exception 'there is a slice %', save_set.name
        using errcode = 'SD005', hint = 'choose another name, drop it, or add to it: select smartdb.add_to_slice(...)';
end
$$;
comment on function smartdb.save_set(text, text, text) is
    'Saves the media that fulfil a condition on smartdb.media, read as m, at this moment as a slice; returns how many. Needs '
    'smartdb_writer. SD002 for a predicate that does not work, SD005 for a name that is taken.';

-- example:
--   select smartdb.save_set('of batch 1', 'm.media_id in (select media_id from
--   smartdb.batch_item where batch_id = 1)')
-- result:
--   1
