-- name: state
-- What the edges of an encoder depend on: how many vectors, and which.
select
    count(*) as n_vectors,
    coalesce(sum(hashint8extended(v.media_id, 0)::numeric), 0)::text as ids_hash
from {vectors} as v;

-- name: last
-- The last complete build of an encoder's edges, and how many of them are still there.
select r.run_id, r.counts,
    (select count(*) from core.neighbour as n where n.encoder_id = %(encoder_id)s) as n_present
from core.run as r
where
    r.kind = 'neighbours' and r.status = 'succeeded'
    and (r.parameters ->> 'encoder_id')::bigint = %(encoder_id)s
order by r.run_id desc
limit 1;

-- name: lock
-- One build of an encoder's edges is written at a time.
select pg_advisory_xact_lock(7360404, %(encoder_id)s::integer);

-- name: clear
-- Takes away the edges of an encoder.
delete from core.neighbour as n where n.encoder_id = %(encoder_id)s;

-- name: add
-- Adds the edges of the staging table.
insert into core.neighbour (encoder_id, media_id, rank, neighbour_id, distance)
select %(encoder_id)s, n.media_id, n.rank, n.neighbour_id, n.distance
from pg_temp.neighbour_new as n
order by n.media_id, n.rank;

-- name: edges
-- The edges of an encoder with the bits in which the perceptual hashes of their ends differ.
-- 64 where only one end has a hash, -1 where neither has (pictures of one colour).
select
    n.media_id, n.neighbour_id, n.distance,
    coalesce(
        (a.phash <~> b.phash)::integer,
        case when a.phash is null and b.phash is null then -1 else 64 end
    ) as bits
from core.neighbour as n
join core.media as a on a.media_id = n.media_id
join core.media as b on b.media_id = n.neighbour_id
where n.encoder_id = %(encoder_id)s
order by n.media_id, n.rank;

-- name: last_grouping
-- The last complete grouping of near-duplicates, by whatever encoder.
select r.run_id, r.parameters, r.counts
from core.run as r
where r.kind = 'duplicates' and r.status = 'succeeded'
order by r.run_id desc
limit 1;

-- name: kin
-- Originals and their clean copies.
select k.media_id, k.copy_id from core.kin() as k

-- name: lock_groups
-- One grouping is written at a time.
select pg_advisory_xact_lock(7360404, 0);

-- name: clear_groups
-- Takes away the groups.
delete from core.duplicate;

-- name: add_groups
-- Adds the groups of the staging table.
insert into core.duplicate (media_id, group_id, run_id)
select n.media_id, n.group_id, %(run_id)s
from pg_temp.duplicate_new as n
order by n.media_id;
