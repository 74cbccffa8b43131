-- Where the tracked things of a video are in each of some frames, between the key frames too.
create function smartdb.track_between(video bigint, first_frame integer, last_frame integer, track bigint default null)
returns table (
    frame_index integer, track_id bigint, class text, kind text,
    x double precision, y double precision, w double precision, h double precision, shape jsonb,
    is_key boolean, label_id bigint, next_label_id bigint
)
language sql stable
begin atomic
    with key as (
        select
            k.*, lead(k.frame_index) over track as next_frame, lead(k.label_id) over track as next_label,
            lead(k.kind) over track as next_kind, lead(k.shape) over track as next_shape,
            lead(k.x) over track as next_x, lead(k.y) over track as next_y, lead(k.w) over track as next_w, lead(k.h) over track as next_h
        from smartdb.track_key as k
        where k.video_id = video and (track is null or k.track_id = track)
        window track as (partition by k.track_id order by k.frame_index)
    ),
    shown as (
        select
            k.*, f.frame,
            case when k.next_kind = k.kind
                then (f.frame - k.frame_index)::double precision / (k.next_frame - k.frame_index) else 0 end as share
        from key as k
        cross join lateral generate_series(
            greatest(k.frame_index, first_frame),
            -- files say each frame in which a thing is seen; after what others say it goes on to the next key
            least(last_frame, case
                when k.origin = 'import' or k.next_frame is null then k.frame_index else k.next_frame - 1 end)
        ) as f (frame)
        where not k.is_end and k.frame_index <= last_frame
    )
    select
        s.frame, s.track_id, s.class, s.kind,
        s.x + (coalesce(s.next_x, s.x) - s.x) * s.share, s.y + (coalesce(s.next_y, s.y) - s.y) * s.share,
        s.w + (coalesce(s.next_w, s.w) - s.w) * s.share, s.h + (coalesce(s.next_h, s.h) - s.h) * s.share,
        core.shape_between(s.kind, s.shape, s.next_shape, s.share),
        s.frame = s.frame_index, s.label_id, case when s.share > 0 then s.next_label end
    from shown as s
    order by s.frame, s.track_id;
end;
comment on function smartdb.track_between(bigint, integer, integer, bigint) is
    'Where the tracked things of a video are from one frame to another, both included: at key frames what was said, between them moved in '
    'straight lines by number of frame (boxes, rotated boxes, keypoints and polylines; polygons and masks stay), until the frame '
    'from which a thing is not seen. After the last key frame of a track there is nothing, nor between frames that a file gave '
    '(origin import): it gives each frame in which a thing is seen.';

-- example:
--   select count(*) from smartdb.track_between(1, 0, 100)
-- result:
--   0
