-- The media of a named slice, as of now. A slice may be defined by others, but not by itself: the
-- names of those that are being asked are kept in a setting while they are.
create function smartdb.slice_item(slice text) returns table (media_id bigint)
language plpgsql stable rows 100000 as $$ -- or the planner expects 1000
declare
    asked constant text := coalesce(current_setting('smartdb.slices_asked', true), '');
    condition constant text := smartdb.slice_predicate(slice);
    names text[] := coalesce(nullif(asked, ''), '{}')::text[] || slice;
begin
    if array_position(names, slice) < cardinality(names) then
        raise exception 'slice % is defined by itself: %', slice, array_to_string(names, ' > ')
            using errcode = 'SD002', hint = 'change the predicate of one of them: select smartdb.save_slice(...)';
    end if;
    perform set_config('smartdb.slices_asked', names::text, true);
    return query select w.media_id from smartdb.media_where(condition) as w;
    perform set_config('smartdb.slices_asked', asked, true);
end
$$;
comment on function smartdb.slice_item(text) is
    'The media of a named slice, as of now; in a predicate: m.media_id in (select smartdb.slice_item(''dim'')). '
    'SD001 if there is none of that name, SD002 if it is defined by itself.';

-- example:
--   select count(*) from smartdb.slice_item('dim')
-- result:
--   5
