-- name: find
-- What is needed to read media, by id: those that may be seen of the ones asked for, or all pictures.
-- A frame lies where its video does; places that are known to be missing come last. What is compared
-- are plain columns: row-level security would keep an expression from the index, for each media.
with asked as materialized (
    select
        m.media_id, m.kind, decode(m.sha256, 'hex') as sha256, m.mime, m.width, m.height,
        m.frame_index, m.pts, case m.kind when 'frame' then m.parent_media_id end as video_id
    from smartdb.media as m
    where m.media_id = any (%(media_ids)s::bigint[])
),

video as materialized (
    select v.media_id, decode(v.sha256, 'hex') as sha256, v.mime, v.width, v.height
    from smartdb.media as v
    where v.media_id = any (array(select a.video_id from asked as a where a.video_id is not null))
),

placed as materialized (
    select a.*, coalesce(v.media_id, a.media_id) as placed_id
    from asked as a left join video as v on v.media_id = a.video_id
)

select
    p.media_id, p.kind, p.sha256, p.mime, p.width, p.height, p.frame_index, p.pts,
    array(
        select split_part(l.uri, '#frame=', 1)
        from smartdb.media_location as l
        where l.media_id = p.placed_id
        order by l.missing_at is not null, not l.is_managed, l.source, l.uri
    ) as places,
    v.media_id as video_id, v.sha256 as video_sha256, v.mime as video_mime,
    v.width as video_width, v.height as video_height
from placed as p
left join video as v on v.media_id = p.video_id
order by p.media_id;

-- name: pictures
-- Ids of the media after one that have pixels of their own: images and frames.
select m.media_id
from smartdb.media as m
where m.kind in ('image', 'frame')
order by m.media_id;
