-- Takes media out of a saved set.
create function smartdb.remove_from_slice(slice text, predicate text) returns bigint
language plpgsql as $$
declare
    id constant bigint := smartdb.set_id(slice);
    n bigint;
begin
    delete from core.slice_media as i using smartdb.media_where(predicate) as w
    where i.slice_id = id and i.media_id = w.media_id;
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function smartdb.remove_from_slice(text, text) is
    'Takes the media that fulfil a condition on smartdb.media, read as m, out of a set; returns how many were in it. Needs '
    'smartdb_writer. SD001 for an unknown slice, SD002 for one that is a predicate, or for a predicate that does not work.';

-- example:
--   select smartdb.remove_from_slice('odd ones', 'm.media_id <= 3')
-- result:
--   1
