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
-- The next images without a vector, with their files; those of a source with a smaller id first.
select
    m.media_id, m.sha256,
    array(
        select array[l.source_id::text, l.uri]
        from core.media_location as l
        where l.media_id = m.media_id
        order by l.source_id, l.uri
    ) as places
from core.media as m
where m.kind = 'image' and m.media_id > %(after)s
    and not exists (select from {vectors} as v where v.media_id = m.media_id)
order by m.media_id
limit %(limit)s;

-- name: n_gap
-- How many images have no vector.
select count(*)
from core.media as m
where m.kind = 'image' and not exists (select from {vectors} as v where v.media_id = m.media_id);

-- name: add
-- Adds the vectors of the staging table that are not there yet.
insert into {vectors} (media_id, v)
select n.media_id, n.v from pg_temp.embedding_new as n
order by n.media_id
on conflict (media_id) do nothing;

-- name: refuse
-- Puts the files of media that could not be read into quarantine, or renews what is said of them.
insert into core.quarantine (source_id, uri, reason, detail, run_id)
select n.source_id, n.uri, n.reason, n.detail, %(run_id)s
from pg_temp.embedding_refused as n
order by n.source_id, n.uri
on conflict (source_id, uri) do update
set reason = excluded.reason, detail = excluded.detail, n_bytes = null, modified_at = null,
    run_id = excluded.run_id, created_at = now();

-- name: release
-- Takes files out of quarantine that an earlier run of embed put there and whose media have vectors.
delete from core.quarantine as q
using core.run as r, core.media_location as l
where
    r.run_id = q.run_id and r.kind = 'embed' and l.source_id = q.source_id and l.uri = q.uri
    and l.media_id = any (array(select n.media_id from pg_temp.embedding_new as n));

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
