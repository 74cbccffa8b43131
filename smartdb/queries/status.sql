-- name: server
-- The server's version, pgvector's, and the size of the database in bytes.
select
    current_setting('server_version') as postgres,
    (select e.extversion from pg_extension as e where e.extname = 'vector') as pgvector,
    pg_database_size(current_database()) as n_bytes;

-- name: counts
-- How much there is of the main things, in the order of the loop.
select 'media' as what, count(*) as n from smartdb.media
union all
select 'refused files', count(*) from smartdb.quarantine
union all
select 'encoders', count(*) from smartdb.encoder
union all
select 'labels', count(*) from smartdb.label
union all
select 'tasks waiting', count(*) from smartdb.task_queue
union all
select 'reviews', count(*) from smartdb.review
union all
select 'open label issues', count(*) from smartdb.review_queue
union all
select 'dataset versions', count(*) from smartdb.dataset_version
union all
select 'training runs', count(*) from smartdb.training_run;

-- name: last_runs
-- The newest runs, newest first.
select run_id, kind, status, started_at, seconds, counts, error
from smartdb.run
order by run_id desc
limit %(n)s;

-- name: invalid_indexes
-- Indexes that an interrupted concurrent build has left half-made.
select format('%I.%I', n.nspname, c.relname) as index
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
join pg_namespace as n on n.oid = c.relnamespace
where not i.indisvalid and n.nspname in ('core', 'smartdb')
order by 1;

-- name: setting
-- A setting of the server, in its own unit as text.
select current_setting(%(name)s);
