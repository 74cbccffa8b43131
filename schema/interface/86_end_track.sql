-- Says that from a frame on the thing of a track is not seen.
create function smartdb.end_track(frame bigint, actor text, track bigint) returns void
language plpgsql volatile as $$
begin
    perform smartdb.require_track(frame, track);
    insert into core.track_end (media_id, track_id, actor_id) values (frame, track, smartdb.person_id(actor))
    on conflict (media_id, track_id) where rev_to is null do nothing;
end
$$;
comment on function smartdb.end_track(bigint, text, bigint) is
    'Says that from a frame (a media) on the thing of a track is not seen, until its next label. SD001 no such media, SD002 no frame '
    'of a video, or one that shows the thing: it has a label of the track.';

-- example:
--   select is_end from smartdb.track_key as k, smartdb.end_track(k.media_id, 'ana', 5)
-- result:
