-- name: find
-- What is needed to read media, by id: those that may be seen of the ones asked for, or all pictures.
-- A frame lies where its video does; places that are known to be missing come last.
select
    m.media_id, m.kind, decode(m.sha256, 'hex') as sha256, m.mime, m.width, m.height,
    m.frame_index, m.pts,
    array(
        select split_part(l.uri, '#frame=', 1)
        from smartdb.media_location as l
        where l.media_id = coalesce(v.media_id, m.media_id)
        order by l.missing_at is not null, not l.is_managed, l.source, l.uri
    ) as places,
    v.media_id as video_id, decode(v.sha256, 'hex') as video_sha256, v.mime as video_mime,
    v.width as video_width, v.height as video_height
from smartdb.media as m
left join smartdb.media as v on m.kind = 'frame' and v.media_id = m.parent_media_id
where m.media_id = any (%(media_ids)s::bigint[])
order by m.media_id;

-- name: pictures
-- Ids of the media after one that have pixels of their own: images and frames.
select m.media_id
from smartdb.media as m
where m.kind in ('image', 'frame')
order by m.media_id;
