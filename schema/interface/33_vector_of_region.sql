-- The vector of a region, to search with: for regions by nearest_region, for media by nearest.
create function smartdb.vector_of_region(label bigint, encoder text) returns halfvec
language plpgsql stable as $$
declare
    at constant text := (smartdb.require_encoder(encoder)).region_vectors;
    result public.halfvec; -- plpgsql looks names up when it is called, in any search_path
begin
    execute format('select v from %s where label_id = $1', at) into result using label;
    if result is null then
        raise exception 'no vector of encoder % for the region of label %', encoder, label
            using errcode = 'SD001',
            hint = format('it may be edited, no region or tiny, or run: smartdb regions --encoder %s', encoder);
    end if;
    return result;
end
$$;
comment on function smartdb.vector_of_region(bigint, text) is
    'The vector of the region of a live label by an encoder. SD001 if there is no such encoder or vector.';

-- example:
--   select vector_dims(smartdb.vector_of_region(102, 'tiny'))
-- result:
--   3
