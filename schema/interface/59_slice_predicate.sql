-- A slice as a condition, so that whatever takes a predicate takes a slice.
create function smartdb.slice_predicate(slice text) returns text
language plpgsql stable as $$
declare
    found smartdb.slice;
begin
    select s.* into found from smartdb.slice as s where s.name = slice;
    if found.slice_id is null then
        raise exception 'no slice %', slice
            using errcode = 'SD001', hint = 'see: select name from smartdb.slice';
    elsif found.kind = 'set' then
        return format('m.media_id in (select i.media_id from smartdb.slice_media as i where i.slice = %L)', slice);
    end if;
    return smartdb.checked_predicate(found.predicate);
end
$$;
comment on function smartdb.slice_predicate(text) is
    'A slice as a condition on smartdb.media read as m: sample_random(10, 7, slice_predicate(''dim'')). SD001 for an unknown slice, '
    'SD002 for one whose predicate does not work (any more).';

-- example:
--   select count(*) from smartdb.sample_random(10, 7, smartdb.slice_predicate('dim'))
-- result:
--   5
