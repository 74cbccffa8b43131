-- Says what is wrong with a vector to search with, or with how many are asked for.
create function smartdb.refuse_query(query halfvec, encoder smartdb.encoder, k integer) returns void
language plpgsql stable as $$
begin
    if query is null or public.vector_dims(query) <> encoder.dim then
        raise exception 'encoder % has % dimensions, the query has %',
            encoder.name, encoder.dim, coalesce(public.vector_dims(query)::text, 'none: it is null')
            using errcode = 'SD002', hint = 'make the query with the same encoder';
    elsif public.l2_norm(query) = 0 then
        raise exception 'the query is zero, and nothing is near to that'
            using errcode = 'SD002', hint = 'make the query with the same encoder';
    elsif k is null or k < 1 then
        raise exception 'k is %, it must be 1 or more', coalesce(k::text, 'null') using errcode = 'SD002';
    end if;
end
$$;
comment on function smartdb.refuse_query(halfvec, smartdb.encoder, integer) is
    'Raises SD002 for a query of another length than the encoder''s vectors, a zero one, or a k below 1; else does nothing.';

-- example:
--   select smartdb.refuse_query('[1,0,0]', e, 10)::text = '' from smartdb.require_encoder() as e
-- result:
--   True
