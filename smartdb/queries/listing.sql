-- name: begin
-- Makes the tables that hold what a run lists and what it finds missing; the session keeps them.
create temp table if not exists listed (uri text, is_problem boolean);
create temp table if not exists unlisted (uri text, is_missing boolean);
truncate pg_temp.listed, pg_temp.unlisted;

-- name: state
-- Notes files as listed; what is known of them: known, unkept, refused, changed or new, in order.
-- The files come as lines of text, which costs the client half of what arrays do.
with f as materialized (
    select f.uri, f.n_bytes, f.modified_at, f.etag, f.place
    from unnest(
        string_to_array(%(uris)s::text, E'\n'),
        string_to_array(%(n_bytes)s::text, E'\n', '')::bigint[],
        string_to_array(%(modified_at)s::text, E'\n', '')::timestamptz[],
        string_to_array(%(etags)s::text, E'\n', '')
    ) with ordinality as f (uri, n_bytes, modified_at, etag, place)
),
noted as (
    insert into pg_temp.listed (uri, is_problem)
    select f.uri, f.n_bytes is null from f
)
select
    case
        when q.n_bytes = f.n_bytes and q.modified_at = f.modified_at and q.reason <> 'unreadable'
            then 'refused'
        when l.uri is null then 'new'
        when q.uri is not null or l.n_bytes is distinct from f.n_bytes then 'changed'
        when coalesce(l.etag <> f.etag, l.modified_at <> f.modified_at) then 'changed'
        when u.uri is not null then 'unkept'
        else 'known'
    end as state
from f
left join core.location_of(%(source_id)s, array(select k.uri from f as k)) as l on l.uri = f.uri
left join (
    select k.uri from core.unmanaged(%(source_id)s, array(select k.uri from f as k)) as k
    where %(manage)s
) as u on u.uri = f.uri
left join core.quarantine as q on q.source_id = %(source_id)s and q.uri = f.uri
order by f.place;

-- name: compare
-- Finds the known files that the listing lacks, or has again; what failed to be listed says nothing.
insert into pg_temp.unlisted (uri, is_missing)
select p.uri, not p.is_missing
from core.places_below(
    %(source_id)s, %(root)s, (select r.started_at from core.run as r where r.run_id = %(run_id)s)
) as p
left join pg_temp.listed as l on l.uri = p.uri
where
    (l.uri is null) <> p.is_missing
    and not exists (
        select from pg_temp.listed as f
        where f.is_problem and l.uri is null and starts_with(p.uri, rtrim(f.uri, '/') || '/')
    );

-- name: mark
-- Marks some of them as missing, until none is left.
with part as (
    delete from pg_temp.unlisted as u
    where u.ctid = any (
        array(select k.ctid from pg_temp.unlisted as k where k.is_missing limit 10000)
    )
    returning u.uri
)
select m.n_missing, m.n_moved
from (select array_agg(s.uri) as uris from part as s) as a
cross join lateral core.mark_missing(
    %(source_id)s, a.uris, (select r.started_at from core.run as r where r.run_id = %(run_id)s)
) as m
where a.uris is not null;

-- name: unmark
-- Takes the mark off some of those that are back, until none is left.
with part as (
    delete from pg_temp.unlisted as u
    where u.ctid = any (
        array(select k.ctid from pg_temp.unlisted as k where not k.is_missing limit 10000)
    )
    returning u.uri
)
select cardinality(a.uris), core.mark_found(%(source_id)s, a.uris)
from (select array_agg(s.uri) as uris from part as s) as a
where a.uris is not null;

-- name: is_known
-- Whether a source has files below a folder.
select exists (
    select from core.source as s
    cross join lateral core.places_below(s.source_id, %(root)s, now()) as p
    where s.name = %(source)s
);
