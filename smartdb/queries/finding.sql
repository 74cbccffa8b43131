-- name: resolve
-- Settles a finding.
select smartdb.resolve_finding(%(finding_id)s, %(resolution)s, %(note)s);

-- name: open
-- The open findings that this role may see.
select
    f.finding_id, f.media_id, f.kind, f.score, f.region, f.detector, f.is_hidden, f.uri
from smartdb.finding_open as f
where
    (%(kind)s::text is null or f.kind = %(kind)s)
    and (
        %(source)s::text is null
        or f.media_id in (select l.media_id from smartdb.media_location as l where l.source = %(source)s)
    )
order by f.finding_id
limit %(limit)s;
