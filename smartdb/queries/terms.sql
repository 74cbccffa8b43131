-- name: list
-- What was stated for each source.
select
    source, licence, consent_basis, allowed_use, expires_at, jurisdiction, strip_metadata,
    forbidden_finding, uri
from smartdb.source_summary
order by source;

-- name: set_source
-- States terms of a source.
update core.source set {changes} where name = %(source)s;

-- name: set_media
-- States terms of single media.
insert into core.media_terms (media_id, note, run_id, {columns})
select u.media_id, %(note)s, %(run_id)s, {values}
from unnest(%(media_ids)s::bigint[]) as u (media_id)
on conflict (media_id) do update
set note = excluded.note, run_id = excluded.run_id, created_at = now(), {changes};

-- name: show
-- The terms that hold for media.
select
    t.media_id, t.licence, t.consent_basis, t.allowed_use, t.expires_at, t.jurisdiction, t.reason
from smartdb.media_terms as t
where t.media_id = any (%(media_ids)s)
order by t.media_id;

-- name: refused
-- Media whose terms do not allow a use; of no use, those whose right has ended.
select r.media_id, r.reason
from smartdb.use_refused(%(purpose)s) as r
order by r.media_id
limit %(limit)s;

-- name: hide
-- Hides the media whose right has ended.
insert into core.restriction (media_id, reason)
select e.media_id, case when e.reason like 'consent%' then 'consent' else 'expired' end
from smartdb.expired as e
on conflict (media_id, reason) do nothing;

-- name: unhide
-- Shows the media again whose right goes on.
delete from core.restriction as r
where r.reason in ('consent', 'expired')
    and r.media_id not in (select e.media_id from smartdb.expired as e);
