-- name: crop
-- Says by which margin regions are cut out for an encoder, if it was not said yet.
insert into core.region_crop (encoder_id, margin)
values (%(encoder_id)s, %(margin)s)
on conflict (encoder_id) do nothing;

-- name: margin
-- The margin by which regions are cut out for an encoder.
select c.margin from core.region_crop as c where c.encoder_id = %(encoder_id)s;

-- name: problems
-- How many regions can have no vector, by the reason.
select r.problem, count(*) from smartdb.region as r
where r.problem is not null
group by r.problem;

-- name: count
-- How many regions have a vector, and how many have none and could.
select
    (select count(*) from {vectors}),
    (
        select count(*) from smartdb.region as r
        where r.problem is null and not exists (select from {vectors} as v where v.label_id = r.label_id)
    );

-- name: gap
-- The next media with regions that could have a vector and have none, each with all of these.
select r.media_id, array_agg(r.label_id), array_agg(array[r.x, r.y, r.w, r.h])
from smartdb.region as r
where
    r.problem is null and r.media_id > %(after)s
    and not exists (select from {vectors} as v where v.label_id = r.label_id)
group by r.media_id
order by r.media_id
limit %(limit)s;

-- name: prune
-- Deletes the vectors of labels that were closed.
delete from {vectors} as v
using core.label as l
where l.label_id = v.label_id and l.rev_to is not null;

-- name: add
-- Adds the vectors of the staging table whose labels are live still.
insert into {vectors} (label_id, media_id, v)
select n.label_id, n.media_id, n.v
from pg_temp.embedding_new as n
join core.label as l on l.label_id = n.label_id
where l.rev_to is null
order by n.label_id
on conflict (label_id) do nothing;

-- name: region
-- Where the region of a live label lies.
select r.media_id, r.x, r.y, r.w, r.h, r.problem from smartdb.region as r where r.label_id = %(label_id)s;

-- name: nearest
-- The nearest regions to a vector, nearest first, with what they show and where they lie.
select n.label_id, n.distance, r.class, n.media_id, r.x, r.y, r.w, r.h, m.source, m.uri
from smartdb.nearest_region(%(vector)s, %(encoder)s, %(k)s, %(predicate)s) as n
join smartdb.region as r on r.label_id = n.label_id
join smartdb.media as m on m.media_id = n.media_id
order by n.distance, n.label_id;

-- name: similar
-- The nearest regions to that of a label, itself left out, nearest first.
select n.label_id, n.distance, r.class, n.media_id, r.x, r.y, r.w, r.h, m.source, m.uri
from smartdb.similar_region(%(label_id)s, %(encoder)s, %(k)s, %(predicate)s) as n
join smartdb.region as r on r.label_id = n.label_id
join smartdb.media as m on m.media_id = n.media_id
order by n.distance, n.label_id;

-- name: vector
-- The vector of the region of a label.
select smartdb.vector_of_region(%(label_id)s, %(encoder)s);
