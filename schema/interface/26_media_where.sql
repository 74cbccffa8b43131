-- The media that fulfil a condition; what the samplers and slices choose from.
create function smartdb.media_where(predicate text default 'true')
returns table (media_id bigint)
language plpgsql stable rows 100000 as $$ -- or the planner expects 1000
begin
    return query execute format('select m.media_id from smartdb.media as m where (%s)', predicate);
end
$$;
comment on function smartdb.media_where(text) is
    'The media that fulfil a condition on smartdb.media, read as m; runs with the rights of the caller.';

-- example:
--   select * from smartdb.media_where('m.group_key = ''scene 1''')
-- result:
--   3
--   4
