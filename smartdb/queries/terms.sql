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
