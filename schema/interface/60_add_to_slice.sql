-- Puts media into a saved set.
create function smartdb.add_to_slice(slice text, predicate text) returns bigint
language plpgsql as $$
declare
    id constant bigint := smartdb.set_id(slice);
    n bigint;
begin
    insert into core.slice_media (slice_id, media_id)
    select id, w.media_id from smartdb.media_where(predicate) as w
    order by w.media_id
    on conflict on constraint slice_media_pk do nothing;
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function smartdb.add_to_slice(text, text) is
    'Puts the media that fulfil a condition on smartdb.media, read as m, into a set; returns how many were not in it. Needs '
    'smartdb_writer. SD001 for an unknown slice, SD002 for one that is a predicate, or for a predicate that does not work.';

-- example:
--   select smartdb.add_to_slice('odd ones', 'm.media_id <= 3')
-- result:
--   2
