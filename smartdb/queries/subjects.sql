-- name: add
-- Notes that media show a person.
insert into core.media_subject (media_id, subject_key)
select u.media_id, %(key)s from unnest(%(media_ids)s::bigint[]) as u (media_id)
on conflict (subject_key, media_id) do nothing;

-- name: remove
-- Takes that back.
delete from core.media_subject as s
where s.subject_key = %(key)s and s.media_id = any (%(media_ids)s);

-- name: media
-- The media that show a person.
select s.media_id from core.media_subject as s where s.subject_key = %(key)s order by s.media_id;
