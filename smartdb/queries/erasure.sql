-- name: scope
-- What a request to erase these media would reach.
select core.erasure_scope(%(media_ids)s);

-- name: begin
-- Writes down a request and hides its media.
select core.begin_erasure(%(reason)s, %(asked)s, %(code_version)s, %(media_ids)s);

-- name: unfinished
-- Requests that were not finished, oldest first.
select e.erasure_id from core.erasure as e where e.finished_at is null order by e.erasure_id;

-- name: rows
-- Erases what is known of the next media of a request.
select core.erase_rows(%(erasure_id)s, %(n)s);

-- name: files
-- The next media of a request with the places that are known of their bytes.
select f.media_id, f.sha256, f.source_id, f.uri, f.is_managed
from core.erased_files(%(erasure_id)s, %(after)s, %(n)s) as f;

-- name: forget_files
-- Forgets places, and counts what became of the bytes there.
select core.forget_files(%(erasure_id)s, %(sources)s, %(uris)s, %(outcomes)s);

-- name: finish
-- Completes the report of a request, or gives null if there is more to do.
select core.finish_erasure(%(erasure_id)s);

-- name: known
-- Which of these media there are, and whether they were erased.
select m.media_id, exists (select from core.tombstone as t where t.media_id = m.media_id)
from core.media as m
where m.media_id = any (%(media_ids)s);

-- name: of_source
-- The media that lie in a source.
select distinct l.media_id
from core.media_location as l join core.source as s using (source_id)
where s.name = %(source)s
order by l.media_id;

-- name: of_subject
-- The media that show a person.
select s.media_id from core.media_subject as s where s.subject_key = %(subject)s order by s.media_id;
