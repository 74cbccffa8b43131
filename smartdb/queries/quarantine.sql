-- name: list
-- The refused files, the last first, of one source or reason or of all.
select s.name as source, q.uri, q.reason, q.detail, q.n_bytes, q.created_at
from core.quarantine as q
join core.source as s using (source_id)
where
    (%(source)s::text is null or s.name = %(source)s)
    and (%(reason)s::text is null or q.reason = %(reason)s)
order by q.quarantine_id desc
limit %(limit)s;

-- name: again
-- The refused files to try again, by source.
select q.source_id, q.uri
from core.quarantine as q
join core.source as s using (source_id)
where
    (%(source)s::text is null or s.name = %(source)s)
    and (%(reason)s::text is null or q.reason = %(reason)s)
    and q.uri not like '%#frame=%' -- those embed tries again
order by q.source_id, q.uri;

-- name: forget
-- Drops the rows of files that are no longer there.
delete from core.quarantine where source_id = %(source_id)s and uri = any (%(uris)s);
