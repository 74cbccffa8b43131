-- name: add_encoder
-- Registers an encoder, or finds it; refused if the name belongs to other weights.
select core.add_encoder(%(name)s, %(dim)s, %(weights_sha256)s, %(preprocessing)s);

-- name: encoders
-- The encoders by name, with how they were specified.
select e.encoder_id, e.name, e.dim, e.weights_sha256, e.preprocessing
from core.encoder as e
order by e.name;

-- name: count
-- How many vectors an encoder has.
select count(*) from {vectors};

-- name: gap
-- The next images and frames without a vector.
select m.media_id
from core.media as m
where m.kind in ('image', 'frame') and m.erased_at is null and m.media_id > %(after)s
    and not exists (select from {vectors} as v where v.media_id = m.media_id)
order by m.media_id
limit %(limit)s;

-- name: n_gap
-- How many images and frames have no vector.
select count(*)
from core.media as m
where m.kind in ('image', 'frame') and m.erased_at is null
    and not exists (select from {vectors} as v where v.media_id = m.media_id);

-- name: add
-- Adds the vectors of the staging table that are not there yet.
insert into {vectors} (media_id, v)
select n.media_id, n.v from pg_temp.embedding_new as n
order by n.media_id
on conflict (media_id) do nothing;

-- name: stage_refused
-- Makes the table of the media that could not be read.
create temp table embedding_refused (media_id bigint, reason text, detail text) on commit drop;

-- name: refuse
-- Puts the files of media that could not be read into quarantine, or renews what is said of them.
insert into core.quarantine (source_id, uri, reason, detail, run_id)
select distinct on (l.source_id, f.uri) l.source_id, f.uri, n.reason, n.detail, %(run_id)s
from pg_temp.embedding_refused as n
join core.media as m using (media_id)
join core.media_location as l
    on l.media_id = case m.kind when 'frame' then m.parent_media_id else m.media_id end
cross join lateral (
    select case m.kind
        when 'frame' then split_part(l.uri, '#', 1) || '#frame=' || m.frame_index else l.uri
    end
) as f (uri)
order by l.source_id, f.uri
on conflict (source_id, uri) do update
set reason = excluded.reason, detail = excluded.detail, n_bytes = null, modified_at = null,
    run_id = excluded.run_id, created_at = now();

-- name: release
-- Takes files out of quarantine that an earlier run of embed put there and whose media have vectors.
delete from core.quarantine as q
using core.run as r, core.media as m, core.media_location as l
where
    r.run_id = q.run_id and r.kind = 'embed' and l.source_id = q.source_id
    and m.media_id = any (array(select n.media_id from pg_temp.embedding_new as n))
    and l.media_id = case m.kind when 'frame' then m.parent_media_id else m.media_id end
    and q.uri = case m.kind
        when 'frame' then split_part(l.uri, '#', 1) || '#frame=' || m.frame_index else l.uri
    end;

-- name: vectors
-- All vectors of an encoder in the order of media.
select v.media_id, v.v from {vectors} as v order by v.media_id;

-- name: vectors_of
-- The vectors of some media in the order of media.
select v.media_id, v.v from {vectors} as v
where v.media_id = any (%(media_ids)s::bigint[])
order by v.media_id;

-- name: nearest
-- The nearest media to a vector, nearest first, with where they lie.
select n.media_id, n.distance, m.source, m.uri
from smartdb.nearest(%(vector)s, %(encoder)s, %(k)s) as n
join smartdb.media as m using (media_id)
order by n.distance, n.media_id;

-- name: similar
-- The nearest media to a media, itself left out, nearest first, with where they lie.
select n.media_id, n.distance, m.source, m.uri
from smartdb.similar(%(media_id)s, %(encoder)s, %(k)s) as n
join smartdb.media as m using (media_id)
order by n.distance, n.media_id;
