-- name: sample
-- About this share of an encoder's vectors, the same at each call, in no order that means anything.
select v.media_id, v.v from {vectors} as v
where (hashint8extended(v.media_id, 7) & 1048575) < %(share)s::double precision * 1048576
order by hashint8extended(v.media_id, 11), v.media_id;
