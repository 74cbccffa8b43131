-- Raises unless a track may end at a frame.
create function smartdb.require_track(frame bigint, track bigint) returns void
language plpgsql stable as $$
begin
    perform smartdb.require_media(frame);
    if not exists (select from smartdb.media as m where m.media_id = frame and m.frame_index is not null) then
        raise exception 'media % is no frame of a video', frame
            using errcode = 'SD002', hint = 'give a frame; run: smartdb frames';
    elsif exists (select from smartdb.label_history as l where l.media_id = frame and l.track_id = track and l.rev_to is null) then
        raise exception 'frame % has a label of track %, so the thing is seen there', frame, track
            using errcode = 'SD002', hint = 'end it at the next frame, or remove the label';
    elsif not exists (
        select from smartdb.label_history as l
        where l.track_id = track and l.rev_to is null and core.video_of(l.media_id) = core.video_of(frame)
    ) then
        raise exception 'the video of frame % has no track %', frame, track
            using errcode = 'SD001', hint = 'see: select distinct video_id, track_id from smartdb.track_key';
    end if;
end
$$;
comment on function smartdb.require_track(bigint, bigint) is
    'Nothing, if a media is a frame without a label of a track that its video has; else SD001 or SD002.';

-- example:
--   select count(*) from (select smartdb.require_media(1)) as ok
-- result:
--   1
