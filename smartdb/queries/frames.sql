-- name: count
-- How many videos there are in a scope, and on how many of them a recipe was carried out.
select
    count(*),
    count(*) filter (
        where exists (
            select from core.extraction as e
            where e.media_id = m.media_id and e.recipe = %(recipe)s
        )
    )
from core.media as m
where
    m.kind = 'video' and m.erased_at is null
    and (%(media_ids)s::bigint[] is null or m.media_id = any (%(media_ids)s))
    and (
        %(source)s::text is null or exists (
            select from core.media_location as l join core.source as s using (source_id)
            where l.media_id = m.media_id and s.name = %(source)s
        )
    );

-- name: todo
-- The next videos of a scope on which a recipe was not carried out, with what their times are.
select m.media_id, coalesce(m.attributes ->> 'timing', 'presentation')
from core.media as m
where
    m.kind = 'video' and m.erased_at is null and m.media_id > %(after)s
    and (%(media_ids)s::bigint[] is null or m.media_id = any (%(media_ids)s))
    and (
        %(source)s::text is null or exists (
            select from core.media_location as l join core.source as s using (source_id)
            where l.media_id = m.media_id and s.name = %(source)s
        )
    )
    and not exists (
        select from core.extraction as e where e.media_id = m.media_id and e.recipe = %(recipe)s
    )
order by m.media_id
limit %(limit)s;

-- name: stage
-- Makes the table that the frames of a video are copied into; it empties itself at each commit.
create temp table if not exists frame_new (
    parent_media_id bigint, frame_index integer, pts double precision, sha256 bytea, width integer,
    height integer, phash bit(64), attributes jsonb, brightness real, contrast real,
    sharpness real, entropy real, colourfulness real
) on commit delete rows;

-- name: add
-- Adds the frames that are not there yet. The frames of a video stay on one side of a split.
insert into core.media (
    sha256, kind, mime, n_bytes, width, height, captured_at, phash, group_key, parent_media_id,
    frame_index, pts, recipe, attributes, run_id
)
select
    f.sha256, 'frame', 'image/x-video-frame', 0, f.width, f.height,
    v.captured_at + f.pts * interval '1 second', f.phash,
    coalesce(v.group_key, 'video ' || encode(v.sha256, 'hex')), v.media_id, f.frame_index, f.pts,
    %(recipe)s, f.attributes, %(run_id)s
from pg_temp.frame_new as f
join core.media as v on v.media_id = f.parent_media_id
order by f.frame_index
on conflict (sha256) do nothing;

-- name: add_quality
-- Records the statistics of frames that have none yet.
insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
select m.media_id, f.brightness, f.contrast, f.sharpness, f.entropy, f.colourfulness
from pg_temp.frame_new as f
join core.media_by_sha256(array(select k.sha256 from pg_temp.frame_new as k)) as m using (sha256)
order by m.media_id
on conflict (media_id) do nothing;

-- name: find_quality
-- Records what the thresholds find in the statistics of the frames.
select core.find_quality(
    array(
        select m.media_id
        from core.media_by_sha256(array(select f.sha256 from pg_temp.frame_new as f)) as m
    ), %(run_id)s
);

-- name: locate
-- Records where frames lie that have no place yet: wherever their videos do.
select core.locate(
    l.source_id, array_agg(f.media_id), array_agg(l.uri || '#frame=' || f.frame_index),
    array_agg(l.n_bytes), array_agg(l.modified_at), array_agg(l.etag), l.is_managed
)
from core.media as f
join core.media_location as l on l.media_id = f.parent_media_id
where
    f.kind = 'frame'
    and (%(media_id)s::bigint is null or f.parent_media_id = %(media_id)s)
    and not exists (
        select from core.media_location as k
        where k.source_id = l.source_id and k.uri = l.uri || '#frame=' || f.frame_index
            and k.media_id = f.media_id
    )
group by l.source_id, l.is_managed;

-- name: done
-- Notes that a recipe was carried out on a video.
insert into core.extraction (media_id, recipe, n_frames, run_id)
values (%(media_id)s, %(recipe)s, %(n_frames)s, %(run_id)s)
on conflict (media_id, recipe) do nothing;

-- name: refuse
-- Puts the files of a video into quarantine, or renews what is said of them there.
insert into core.quarantine (source_id, uri, reason, detail, run_id)
select l.source_id, l.uri, %(reason)s, %(detail)s, %(run_id)s
from core.media_location as l
where l.media_id = %(media_id)s
order by l.source_id, l.uri
on conflict (source_id, uri) do update
set reason = excluded.reason, detail = excluded.detail, n_bytes = null, modified_at = null,
    run_id = excluded.run_id, created_at = now();

-- name: release
-- Takes the files of a video out of quarantine that an earlier run of this kind put there.
delete from core.quarantine as q
using core.run as r, core.media_location as l
where
    r.run_id = q.run_id and r.kind = 'frames' and l.source_id = q.source_id and l.uri = q.uri
    and l.media_id = %(media_id)s;
