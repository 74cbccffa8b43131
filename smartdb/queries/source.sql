-- name: list
-- The sources with what came from them.
select source, uri, licence, n_files, n_media, n_refused, n_bytes, last_seen_at
from smartdb.source_summary
order by source;

-- name: names
-- The names of the sources.
select s.name from core.source as s order by s.name;

-- name: find
-- The source of this name.
select s.source_id, s.uri from core.source as s where s.name = %(source)s;

-- name: register
-- Registers a source unless its name is taken, and returns it; a licence that is given is kept.
insert into core.source (name, uri, licence)
values (%(name)s, %(uri)s, %(licence)s)
on conflict (name) do update set licence = coalesce(excluded.licence, core.source.licence)
returning source_id, uri;
