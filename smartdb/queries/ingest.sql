-- name: erased
-- Which of these contents were erased, and which media they were.
select e.sha256, e.media_id from core.erased_sha256(%(digests)s::bytea[]) as e;

-- name: stage
-- Makes the two tables that a batch is copied into; they empty themselves at each commit.
create temp table if not exists ingest_image (
    uri text, n_bytes bigint, modified_at timestamptz, etag text, sha256 bytea, mime text,
    width integer, height integer, captured_at timestamptz, phash bit(64), exif jsonb, attributes jsonb, gps jsonb,
    brightness real, contrast real, sharpness real, entropy real, colourfulness real, kind text,
    duration double precision, fps double precision, n_frames integer, wrong_extension text,
    personal jsonb
) on commit delete rows;
create temp table if not exists ingest_refused (
    uri text, reason text, detail text, n_bytes bigint, modified_at timestamptz
) on commit delete rows;

-- name: add_media
-- Adds the contents of the batch that are not known yet, in order of hash, and returns their hashes.
insert into core.media (
    sha256, kind, mime, n_bytes, width, height, duration, fps, n_frames, captured_at, phash, exif,
    attributes, run_id
)
select distinct on (i.sha256)
    i.sha256, i.kind, i.mime, i.n_bytes, i.width, i.height, i.duration, i.fps, i.n_frames,
    i.captured_at, i.phash, i.exif, i.attributes, %(run_id)s
from pg_temp.ingest_image as i
where not exists (
    select from core.media_by_sha256(array(select k.sha256 from pg_temp.ingest_image as k)) as m
    where m.sha256 = i.sha256
)
order by i.sha256, i.uri
on conflict (sha256) do nothing
returning sha256;

-- name: name_media
-- Puts the ids beside the contents of the batch.
create temp table ingest_media on commit drop as
select m.media_id, m.sha256
from core.media_by_sha256(array(select i.sha256 from pg_temp.ingest_image as i)) as m;

-- name: locate
-- Records where the contents of the batch lie.
select core.locate(
    %(source_id)s, array_agg(m.media_id), array_agg(i.uri), array_agg(i.n_bytes),
    array_agg(i.modified_at), array_agg(i.etag), false
)
from pg_temp.ingest_image as i
join pg_temp.ingest_media as m using (sha256)
having count(*) > 0;

-- name: locate_managed
-- Records where the copies of the batch in the managed store lie.
select core.locate(
    %(source_id)s, array_agg(k.media_id), array_agg(k.uri), array_agg(k.n_bytes),
    array_agg(now()), array_agg(null::text), true
)
from (
    select distinct
        m.media_id, i.n_bytes,
        concat_ws('/', %(store)s::text, left(encode(m.sha256, 'hex'), 2), encode(m.sha256, 'hex')) as uri
    from pg_temp.ingest_image as i
    join pg_temp.ingest_media as m using (sha256)
) as k
having count(*) > 0;

-- name: add_quality
-- Records the statistics of contents that have none yet.
insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
select distinct on (m.media_id)
    m.media_id, i.brightness, i.contrast, i.sharpness, i.entropy, i.colourfulness
from pg_temp.ingest_image as i
join pg_temp.ingest_media as m using (sha256)
where i.brightness is not null  -- a video has none
order by m.media_id
on conflict (media_id) do nothing;

-- name: find_quality
-- Records what the thresholds find in the statistics of the batch.
select core.find_quality(array(select m.media_id from pg_temp.ingest_media as m), %(run_id)s);

-- name: add_findings
-- Records what the metadata tell of people, and names that say another type than the content is.
insert into core.finding (media_id, kind, detail, run_id)
select distinct on (m.media_id, f.kind) m.media_id, f.kind, f.detail, %(run_id)s
from pg_temp.ingest_image as i
join pg_temp.ingest_media as m using (sha256)
cross join lateral (
    values
    ('gps', i.gps),
    ('wrong_extension', jsonb_build_object('extension', i.wrong_extension, 'mime', i.mime, 'uri', i.uri))
    union all
    select p.key, p.value from jsonb_each(i.personal) as p
) as f (kind, detail)
where f.detail is not null and (f.kind <> 'wrong_extension' or i.wrong_extension is not null)
order by m.media_id, f.kind, i.uri
on conflict (media_id, kind, region) do nothing;

-- name: refuse
-- Puts the refused files of the batch into quarantine, or renews what is said of them there.
insert into core.quarantine (source_id, uri, reason, detail, n_bytes, modified_at, run_id)
select %(source_id)s, r.uri, r.reason, r.detail, r.n_bytes, r.modified_at, %(run_id)s
from pg_temp.ingest_refused as r
order by r.uri
on conflict (source_id, uri) do update
set reason = excluded.reason, detail = excluded.detail, n_bytes = excluded.n_bytes,
    modified_at = excluded.modified_at, run_id = excluded.run_id, created_at = now();

-- name: release
-- Takes the good files of the batch out of quarantine; rows are locked in order of URI.
with freed as (
    select q.quarantine_id
    from core.quarantine as q
    where
        q.source_id = %(source_id)s
        and q.uri = any (array(select i.uri from pg_temp.ingest_image as i))
    order by q.uri
    for update
)
delete from core.quarantine as q using freed where q.quarantine_id = freed.quarantine_id;
