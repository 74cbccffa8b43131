-- Forgets a slice; its media stay.
create function smartdb.drop_slice(slice text) returns void
language plpgsql as $$
begin
    delete from core.slice as s where s.name = slice;
    if not found then
        raise exception 'no slice %', slice
            using errcode = 'SD001', hint = 'see: select name from smartdb.slice';
    end if;
end
$$;
comment on function smartdb.drop_slice(text) is 'Forgets a slice; its media stay. Needs smartdb_writer. SD001 for an unknown slice.';

-- example:
--   select smartdb.drop_slice('dim'); select count(*) from smartdb.slice
-- result:
--   1
