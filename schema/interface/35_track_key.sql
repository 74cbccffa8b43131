-- The key frames of tracks: where somebody said what a tracked thing looks like, or that it is gone.
create view smartdb.track_key as
with said as (
    select distinct on (l.track_id, m.parent_media_id, m.frame_index)
        m.parent_media_id as video_id, l.track_id, m.frame_index, m.media_id, l.label_id, l.class, l.kind,
        l.x, l.y, l.w, l.h, l.shape, l.origin, l.actor, false as is_end
    from smartdb.label_history as l
    join smartdb.media as m on m.media_id = l.media_id
    where l.rev_to is null and l.track_id is not null and l.x is not null and m.frame_index is not null
    order by
        l.track_id, m.parent_media_id, m.frame_index,
        array_position(array['consensus', 'human', 'import', 'model', 'propagated'], l.origin), l.label_id desc
)
select s.* from said as s
union all
select
    m.parent_media_id, e.track_id, m.frame_index, m.media_id, null, null, null,
    null, null, null, null, null, 'human', a.name, true
from core.track_end as e
join smartdb.media as m on m.media_id = e.media_id
left join core.actor as a on a.actor_id = e.actor_id
where e.rev_to is null and not exists (select from said as s where s.media_id = e.media_id and s.track_id = e.track_id);

comment on view smartdb.track_key is
    'Key frames of tracks: one row for each track and frame that is labelled (a person''s word before that of others, the latest '
    'first), or from which on the thing is not seen.';
comment on column smartdb.track_key.video_id is 'The video (a media).';
comment on column smartdb.track_key.track_id is 'The track: the same thing over the frames.';
comment on column smartdb.track_key.frame_index is 'Number of the frame, from 0.';
comment on column smartdb.track_key.media_id is 'The frame.';
comment on column smartdb.track_key.label_id is 'The label; null for an end.';
comment on column smartdb.track_key.class is 'Its class.';
comment on column smartdb.track_key.kind is 'Its kind.';
comment on column smartdb.track_key.x is 'Left edge of the bounding box, pixels.';
comment on column smartdb.track_key.y is 'Top edge of the bounding box, pixels.';
comment on column smartdb.track_key.w is 'Width of the bounding box, pixels.';
comment on column smartdb.track_key.h is 'Height of the bounding box, pixels.';
comment on column smartdb.track_key.shape is 'Its shape.';
comment on column smartdb.track_key.origin is 'human, import, consensus, model or propagated.';
comment on column smartdb.track_key.actor is 'Who said it.';
comment on column smartdb.track_key.is_end is 'From here on it is not seen, until the next key frame.';

-- example:
--   select count(*) from smartdb.track_key
-- result:
--   0
