-- Refuses text that could take another role in the middle of a query, and so see hidden media
-- through the API: by name, what sets, what runs SQL given as text, and escaped names.
create function smartdb.refuse_settings(expression text) returns void
language plpgsql immutable as $$
begin
    if expression ~* 'set_config|_to_xml|ts_stat|ts_rewrite|u&"' then
        raise exception 'it may neither change settings nor run SQL given as text' using errcode = '42501';
    end if;
end
$$;
comment on function smartdb.refuse_settings(text) is
    'Raises 42501 for a predicate or expression that calls what changes settings or runs SQL given as text, else does nothing.';

-- example:
--   select smartdb.refuse_settings('m.width > 100')::text = ''
-- result:
--   True
