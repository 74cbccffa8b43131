-- name: last
-- The last complete comparison of an encoder's media by hash.
select r.counts
from core.run as r
where
    r.kind = 'compare_hashes' and r.status = 'succeeded'
    and (r.parameters ->> 'encoder_id')::bigint = %(encoder_id)s
order by r.run_id desc
limit 1;

-- name: state
-- How many media with a hash and a vector there are, how many of them up to a media, and the last.
select
    count(*) as n_hashed,
    count(*) filter (where m.media_id <= %(up_to)s) as n_before,
    coalesce(max(m.media_id), 0) as up_to
from core.media as m
join {vectors} as v using (media_id)
where m.phash is not null;

-- name: unstage
-- Drops what was staged, now or by a run that was interrupted.
drop table if exists pg_temp.hashed, pg_temp.hash, pg_temp.near_hash;

-- name: stage_media
-- The hashes as numbers, each media with its place among those of the same hash.
create temp table hashed as
select
    m.media_id, m.phash::bigint as hash, m.media_id > %(after)s as is_new,
    row_number() over (partition by m.phash order by m.media_id) as place
from core.media as m
join {vectors} as v using (media_id)
where m.phash is not null;

-- name: stage_hash
-- Each hash once.
create temp table hash as
select h.hash, bool_or(h.is_new) as is_new from pg_temp.hashed as h group by h.hash;

-- name: stage_near
-- Where the pairs of hashes come.
create temp table near_hash (hash bigint, other bigint, bits integer);

-- name: index
-- So that the members of a hash are found.
create index on pg_temp.hashed (hash, place);

-- name: analyse
-- Tells the planner how many there are.
analyze pg_temp.hashed, pg_temp.hash;

-- name: match
-- Pairs of hashes, one of them new, that are equal where the mask is set and differ in few bits.
insert into pg_temp.near_hash (hash, other, bits)
select a.hash, b.hash, (a.hash::bit(64) operator(public.<~>) b.hash::bit(64))::integer
from pg_temp.hash as a
join pg_temp.hash as b
    on (a.hash & %(mask)s::bigint) = (b.hash & %(mask)s::bigint) and a.hash <> b.hash
where a.is_new and (not b.is_new or a.hash < b.hash)
    and a.hash::bit(64) operator(public.<~>) b.hash::bit(64) <= %(max_bits)s;

-- name: clear
-- Takes away the pairs of an encoder.
delete from core.duplicate_pair as p where p.encoder_id = %(encoder_id)s;

-- name: add
-- Adds pairs of media with one that is new: of equal hashes each with the first and the few before
-- it, of near ones the first few with each other. The distance of their vectors comes along.
insert into core.duplicate_pair (encoder_id, media_id, other_id, bits, distance)
with pair as (
    select a.media_id, b.media_id as other_id, 0 as bits
    from pg_temp.hashed as a
    join pg_temp.hashed as b
        on b.hash = a.hash and b.place > a.place and (a.place = 1 or b.place <= a.place + %(few)s)
    where a.is_new or b.is_new
    union
    select least(a.media_id, b.media_id), greatest(a.media_id, b.media_id), n.bits
    from pg_temp.near_hash as n
    join pg_temp.hashed as a on a.hash = n.hash and a.place <= %(few)s
    join pg_temp.hashed as b on b.hash = n.other and b.place <= %(few)s
    where a.is_new or b.is_new
)
select
    %(encoder_id)s, p.media_id, p.other_id, p.bits,
    greatest(va.v operator(public.<=>) vb.v, 0)
from pair as p
join {vectors} as va on va.media_id = p.media_id
join {vectors} as vb on vb.media_id = p.other_id
order by p.media_id, p.other_id
on conflict do nothing;

-- name: pairs
-- The pairs of an encoder.
select p.media_id, p.other_id as neighbour_id, p.distance, p.bits::integer as bits
from core.duplicate_pair as p
where p.encoder_id = %(encoder_id)s
order by p.media_id, p.other_id;
