-- The identity of a slice that is a set.
create function smartdb.set_id(slice text) returns bigint
language plpgsql stable as $$
declare
    found smartdb.slice;
begin
    select s.* into found from smartdb.slice as s where s.name = slice;
    if found.slice_id is null then
        raise exception 'no slice %', slice
            using errcode = 'SD001', hint = 'see: select name from smartdb.slice';
    elsif found.kind <> 'set' then
        raise exception 'slice % is the predicate %', slice, found.predicate
            using errcode = 'SD002', hint = 'replace its predicate, or save a set: select smartdb.save_set(...)';
    end if;
    return found.slice_id;
end
$$;
comment on function smartdb.set_id(text) is
    'The slice_id of a slice that is a set. SD001 for an unknown slice, SD002 for one that is a predicate.';

-- example:
--   select smartdb.set_id('odd ones')
-- result:
--   2
