-- The class, if any, of each media that fulfils a condition: what strata are read by. Both sides come
-- in the order of media, so they are merged; hashing a million costs half as much again.
create function smartdb.class_where(predicate text default 'true')
returns table (media_id bigint, value text)
language plpgsql stable rows 100000
set enable_hashjoin = off set work_mem = '256MB' as $$
begin
    return query
    select w.media_id, c.class
    from (select a.media_id from smartdb.media_where(predicate) as a order by a.media_id) as w
    left join smartdb.media_class as c on c.media_id = w.media_id;
end
$$;
comment on function smartdb.class_where(text) is
    'The class as media_class has it, or null, of the media that fulfil a condition on smartdb.media, read as m.';

-- example:
--   select * from smartdb.class_where('m.media_id > 9') order by media_id
-- result:
--   10 | dog
--   11 | None
