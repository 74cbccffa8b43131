-- The media of a named slice, as of now.
create function smartdb.slice_item(slice text) returns table (media_id bigint)
language plpgsql stable as $$
declare
    condition text := (select s.predicate from smartdb.slice as s where s.name = slice);
begin
    if condition is null then
        raise exception 'no slice %', slice
            using errcode = 'SD001', hint = 'see: select name from smartdb.slice';
    end if;
    return query select w.media_id from smartdb.media_where(condition) as w;
end
$$;
comment on function smartdb.slice_item(text) is 'The media of a named slice, as of now. SD001 if there is none of that name.';

-- example:
--   select count(*) from smartdb.slice_item('dim')
-- result:
--   5
