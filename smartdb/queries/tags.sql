-- name: add
-- Puts a tag on media; how many did not have it.
select smartdb.tag_media(%(tag)s, %(predicate)s, coalesce(%(actor)s, session_user::text));

-- name: remove
-- Takes a tag off media; how many had it.
select smartdb.untag_media(%(tag)s, %(predicate)s);

-- name: tags
-- The tags there are, by name.
select t.tag, t.n_media, t.first_at, t.last_at from smartdb.tag as t order by t.tag;
