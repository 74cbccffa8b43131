-- name: save
-- Saves a predicate as a slice; how many media fulfil it now.
select smartdb.save_slice(%(name)s, %(predicate)s, %(note)s, %(replace)s);

-- name: save_set
-- Saves the media that fulfil a predicate now as a set; how many.
select smartdb.save_set(%(name)s, %(predicate)s, %(note)s);

-- name: include
-- Puts media into a set; how many were not in it.
select smartdb.add_to_slice(%(name)s, %(predicate)s);

-- name: exclude
-- Takes media out of a set; how many were in it.
select smartdb.remove_from_slice(%(name)s, %(predicate)s);

-- name: drop
-- Forgets a slice.
select smartdb.drop_slice(%(name)s);

-- name: slices
-- The slices by name.
select s.name, s.kind, s.predicate, s.note, s.created_at from smartdb.slice as s order by s.name;

-- name: items
-- The first media of a slice by id.
select m.media_id, m.uri
from smartdb.slice_item(%(name)s) as i
join smartdb.media as m on m.media_id = i.media_id
order by m.media_id
limit %(limit)s;
