-- name: quality
-- How far b is from a in each statistic.
select d.statistic, d.ks, d.psi, d.n_a, d.n_b
from smartdb.drift_quality(%(a)s, %(b)s, %(n)s, %(seed)s) as d;

-- name: classes
-- How many of each class are in a and in b.
select d.class, d.n_a, d.n_b from smartdb.drift_class(%(a)s, %(b)s, %(n)s, %(seed)s) as d
order by d.class;

-- name: vectors
-- The vectors of a sample of the media of a side.
select v.media_id, v.v
from (
    select w.media_id from smartdb.media_where(%(predicate)s) as w
    where w.media_id in (select e.media_id from {0} as e)
    order by hashint8extended(w.media_id, %(seed)s), w.media_id
    limit %(n)s
) as s
join {0} as v on v.media_id = s.media_id
order by v.media_id;

-- name: any
-- One media of a side, if there is any.
select w.media_id from smartdb.media_where(%(predicate)s) as w limit 1;

-- name: source
-- What lies in a source, as a condition on media.
select format(
    'm.media_id in (select l.media_id from smartdb.media_location as l where l.source = %L)',
    %(source)s::text
);

-- name: newest
-- The pictures that the newest ingest of a source added, and those before, as conditions: those before first.
select
    format('m.run_id < %s and m.kind in (''image'', ''frame'')', max(r.run_id)),
    format('m.run_id = %s and m.kind in (''image'', ''frame'')', max(r.run_id))
from core.run as r
where
    r.kind = 'ingest' and r.status = 'succeeded' and r.parameters ->> 'source' = %(source)s
    and (r.counts ->> 'added')::bigint > 0
having max(r.run_id) is not null;

-- name: add
-- Writes how far a statistic is apart.
insert into core.drift (run_id, statistic, measure, distance, psi, p, n_a, n_b)
values (%s, %s, %s, %s, %s, %s, %s, %s);
