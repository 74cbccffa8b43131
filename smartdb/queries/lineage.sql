-- name: steps
-- Where a media comes from and what it went into.
select l.step, l.what, l.detail, l.at, l.run_id from smartdb.lineage(%(media_id)s) as l;
