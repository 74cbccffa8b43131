-- Where the tracked things of a video are in one frame.
create function smartdb.track_at(video bigint, frame integer)
returns table (
    track_id bigint, class text, kind text,
    x double precision, y double precision, w double precision, h double precision, shape jsonb,
    is_key boolean, label_id bigint, next_label_id bigint
)
language sql stable
begin atomic
    select b.track_id, b.class, b.kind, b.x, b.y, b.w, b.h, b.shape, b.is_key, b.label_id, b.next_label_id
    from smartdb.track_between(video, frame, frame) as b;
end;
comment on function smartdb.track_at(bigint, integer) is
    'Where the tracked things of a video are in one frame, between key frames too; see smartdb.track_between.';

-- example:
--   select count(*) from smartdb.track_at(1, 5)
-- result:
--   0
