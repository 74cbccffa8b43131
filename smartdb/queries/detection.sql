-- name: register
-- Makes the detector unless it is known.
insert into core.detector (name, version, parameters)
values (%(name)s, %(version)s, %(parameters)s)
on conflict do nothing;

-- name: find
-- The detector of a name, version and parameters.
select d.detector_id
from core.detector as d
where d.name = %(name)s and d.version = %(version)s and d.parameters = %(parameters)s;

-- name: todo
-- A page of the images and frames of a source that a detector has not looked at; those that a
-- clean copy replaced are seen by nobody any more.
select m.media_id
from core.media as m
where
    m.media_id > %(after)s and m.kind in ('image', 'frame') and m.erased_at is null
    and exists (
        select from core.media_location as l join core.source as s using (source_id)
        where l.media_id = m.media_id and s.name = %(source)s
    )
    and not exists (
        select from core.detector_media as d
        where d.media_id = m.media_id and d.detector_id = %(detector_id)s and d.problem is null
    )
    and not exists (
        select from core.restriction as r where r.media_id = m.media_id and r.reason = 'replaced'
    )
order by m.media_id
limit %(n)s;

-- name: stage
-- Makes the two tables that a batch is copied into; they empty themselves at each commit.
create temp table if not exists detect_seen (media_id bigint, problem text) on commit delete rows;
create temp table if not exists detect_found (
    media_id bigint, score real, region real[]
) on commit delete rows;

-- name: add_seen
-- Records that the detector has looked at the media of the batch.
insert into core.detector_media (detector_id, media_id, run_id, problem)
select %(detector_id)s, s.media_id, %(run_id)s, s.problem
from pg_temp.detect_seen as s
order by s.media_id
on conflict (detector_id, media_id) do update
set run_id = excluded.run_id, problem = excluded.problem;

-- name: add_found
-- Records what it found in them.
insert into core.finding (media_id, kind, score, region, detail, run_id)
select f.media_id, %(kind)s, f.score, f.region, %(detail)s, %(run_id)s
from pg_temp.detect_found as f
order by f.media_id
on conflict (media_id, kind, region) do nothing;
