-- name: add
-- Writes down a recipe, if there is none of that name.
insert into core.recipe (name, pipeline, seed, note)
values (%(name)s, %(pipeline)s, %(seed)s, %(note)s)
on conflict (name) do nothing;

-- name: all
-- The recipes by name.
select r.recipe_id, r.name, r.pipeline, r.seed, r.note from smartdb.recipe as r order by r.name;

-- name: labels
-- The labels of media that go over to what is made of them, with the names of their keypoints.
select
    l.media_id, l.label_id, l.class_id, c.name as class, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes, l.actor_id,
    l.confidence, coalesce(c.skeleton -> 'points', '[]') as keypoints
from core.label as l
join core.class as c on c.class_id = l.class_id
where l.media_id = any (%(media_ids)s::bigint[]) and l.rev_to is null and l.origin <> 'model'
    and l.kind <> 'relation' -- it leads to things of the original
order by l.label_id;

-- name: made
-- Which variants of which of these media there are.
select a.parent_id, a.number from core.augmentation as a
where a.recipe_id = %(recipe_id)s and a.seed = %(seed)s and a.parent_id = any (%(media_ids)s::bigint[]);

-- name: pictures
-- Those of these media that have pixels: images and frames.
select m.media_id from smartdb.media as m
where m.media_id = any (%(media_ids)s::bigint[]) and m.kind in ('image', 'frame')
order by m.media_id;

-- name: record
-- Records a variant: added, same, changed or erased.
select core.add_augmentation(
    %(recipe_id)s, %(parent)s, %(seed)s, %(number)s, %(digest)s, %(mime)s, %(n_bytes)s, %(width)s, %(height)s,
    %(phash)s::bit(64), %(quality)s::real[], %(how)s, %(uri)s, %(labels)s, %(read_labels)s::bigint[], %(donors)s::bigint[],
    %(run)s
);

-- name: some
-- Media with regions that may be donors of a preview.
select distinct r.media_id from smartdb.region as r
where r.problem is null and r.media_id <> %(media_id)s
order by r.media_id limit %(n)s;
