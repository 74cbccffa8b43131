-- Media, one row for each distinct content, with where it lies and how its pixels are.
-- Columns that a query does not name cost nothing.
create view smartdb.media as
select
    m.media_id,
    (
        select s.name from core.media_location as l join core.source as s using (source_id)
        where l.media_id = case m.kind when 'frame' then m.parent_media_id else m.media_id end
        order by l.missing_at is not null, l.is_managed, l.source_id, l.uri limit 1
    ) as source,
    (
        select case m.kind
            when 'frame' then split_part(l.uri, '#', 1) || '#frame=' || m.frame_index else l.uri
        end
        from core.media_location as l
        where l.media_id = case m.kind when 'frame' then m.parent_media_id else m.media_id end
        order by l.missing_at is not null, l.is_managed, l.source_id, l.uri limit 1
    ) as uri,
    m.kind, m.mime, m.n_bytes, m.width, m.height, m.duration, m.fps, m.captured_at,
    q.brightness, q.contrast, q.sharpness, q.entropy, q.colourfulness,
    m.group_key,
    (select p.media_id from core.media as p where p.media_id = m.parent_media_id) as parent_media_id,
    m.frame_index, m.pts, m.n_frames,
    encode(m.sha256, 'hex') as sha256,
    m.phash, m.exif, m.attributes, m.run_id, m.created_at,
    (
        select count(*) from core.media_location as l
        where l.media_id = case m.kind when 'frame' then m.parent_media_id else m.media_id end
            and l.missing_at is null
    ) as n_locations,
    (
        select case when bool_and(l.missing_at is not null) then max(l.missing_at) end
        from core.media_location as l
        where l.media_id = case m.kind when 'frame' then m.parent_media_id else m.media_id end
    ) as missing_at,
    m.recipe
from core.media as m
left join core.quality as q on q.media_id = m.media_id
where m.erased_at is null;

comment on view smartdb.media is
    'Media, one row for each distinct content, with where it lies and statistics of its pixels. Restricted media are hidden, erased ones gone.';
comment on column smartdb.media.media_id is 'Identity of the content.';
comment on column smartdb.media.source is 'Name of the source it was found in first.';
comment on column smartdb.media.uri is 'Where its bytes lie; all places are in media_location. A frame lies at its video''s, with #frame=N.';
comment on column smartdb.media.kind is 'image, video or frame.';
comment on column smartdb.media.mime is 'Type by content, for instance image/jpeg.';
comment on column smartdb.media.n_bytes is 'Size of the file in bytes.';
comment on column smartdb.media.width is 'Width in pixels, upright.';
comment on column smartdb.media.height is 'Height in pixels, upright.';
comment on column smartdb.media.duration is 'Length in seconds, of a video.';
comment on column smartdb.media.fps is 'Average frames per second, of a video.';
comment on column smartdb.media.captured_at is 'When it was taken, if the file says so.';
comment on column smartdb.media.brightness is 'Mean luminance, 0 (black) to 1 (white).';
comment on column smartdb.media.contrast is 'Standard deviation of luminance, 0 to 0.5.';
comment on column smartdb.media.sharpness is 'Variance of the Laplacian of luminance; small is blurry.';
comment on column smartdb.media.entropy is 'Shannon entropy of the luminance histogram, 0 to 8 bits.';
comment on column smartdb.media.colourfulness is 'Colourfulness of Hasler and Suesstrunk (2003); 0 is grey.';
comment on column smartdb.media.group_key is 'What must stay on one side of a split, if it was given.';
comment on column smartdb.media.parent_media_id is 'The media it was derived from, if you may see it.';
comment on column smartdb.media.frame_index is 'Number of the frame in its video, from 0.';
comment on column smartdb.media.pts is 'Presentation time of the frame in its video, in seconds.';
comment on column smartdb.media.n_frames is 'Frames of a video or an animation, or pages; null for one picture.';
comment on column smartdb.media.sha256 is 'SHA-256 of the bytes, in hexadecimal.';
comment on column smartdb.media.phash is '64-bit perceptual hash; compare with <~>.';
comment on column smartdb.media.exif is 'EXIF tags by name.';
comment on column smartdb.media.attributes is 'Anything else known about it.';
comment on column smartdb.media.run_id is 'The ingest run that added it.';
comment on column smartdb.media.created_at is 'When it was added.';
comment on column smartdb.media.recipe is 'How it was derived from its parent; null for an original.';
comment on column smartdb.media.n_locations is 'Places where its bytes are still there, as far as listings tell; 0 is lost.';
comment on column smartdb.media.missing_at is 'When the last of its places was found missing; null while one is there.';

-- example:
--   select media_id, source, uri, width, height, brightness from smartdb.media where media_id <=
--   2
-- result:
--   1 | toys | file:///toys/cat/1.png | 32 | 24 | 0.05
--   2 | toys | file:///toys/cat/2.png | 32 | 24 | 0.1
