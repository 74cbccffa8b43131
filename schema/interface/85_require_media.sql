-- Raises unless there is such a media, for all that is said of one.
create function smartdb.require_media(media bigint) returns void
language plpgsql stable as $$
begin
    if exists (select from smartdb.tombstone as t where t.media_id = media) then
        raise exception 'media % was erased', media
            using errcode = 'SD001', hint = 'nothing can be said of it any more; see: select * from smartdb.tombstone';
    elsif not exists (select from smartdb.media as m where m.media_id = media) then
        raise exception 'no media %', media
            using errcode = 'SD001', hint = 'it was never ingested, or is hidden from you; see: select media_id from smartdb.media';
    end if;
end
$$;
comment on function smartdb.require_media(bigint) is
    'Nothing, if there is such a media and the role may see it; else SD001, which says whether it was erased.';

-- example:
--   select smartdb.require_media(1)
-- result:
--   
