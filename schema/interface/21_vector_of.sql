-- The vector of a media, to search with.
create function smartdb.vector_of(media bigint, encoder text) returns halfvec
language plpgsql stable as $$
declare
    e constant smartdb.encoder := smartdb.require_encoder(encoder);
    result public.halfvec; -- plpgsql looks names up when it is called, in any search_path
begin
    execute format('select v from %s where media_id = $1', e.vectors) into result using media;
    if result is null then
        raise exception 'no vector of encoder % for media %', e.name, media
            using errcode = 'SD001', hint = format('run: smartdb embed --encoder %s', e.name);
    end if;
    return result;
end
$$;
comment on function smartdb.vector_of(bigint, text) is
    'The vector of a media by an encoder. SD001 if there is no such encoder or vector.';

-- example:
--   select vector_dims(smartdb.vector_of(1, 'tiny'))
-- result:
--   3
