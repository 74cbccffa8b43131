-- Media that an encoder has no vector of yet: the work list of embedding.
create function smartdb.embedding_gap(encoder text) returns table (media_id bigint, uri text)
language plpgsql stable as $$
declare
    at constant text := (smartdb.require_encoder(encoder)).vectors;
begin
    return query execute format(
        'select m.media_id, m.uri from smartdb.media as m
         where m.kind in (''image'', ''frame'') and not exists (select from %s as v where v.media_id = m.media_id)', at);
end
$$;
comment on function smartdb.embedding_gap(text) is
    'Images and frames that an encoder has no vector of yet; empty when all is embedded. SD001 for an unknown encoder.';

-- example:
--   select media_id, uri from smartdb.embedding_gap('tiny')
-- result:
--   11 | file:///toys/new/11.png
