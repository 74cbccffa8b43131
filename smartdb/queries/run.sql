-- name: start
-- Opens a run and returns its id.
insert into core.run (kind, code_version, parameters, seed, dagster_run_id)
values (%(kind)s, %(code_version)s, %(parameters)s, %(seed)s, %(dagster_run_id)s)
returning run_id;

-- name: lock
-- Holds the lock that says the run's process is alive; it goes when the connection goes.
select pg_advisory_lock(%(space)s, (%(run_id)s % 2147483647)::integer);

-- name: unlock
-- Gives the lock of a run back.
select pg_advisory_unlock(%(space)s, (%(run_id)s % 2147483647)::integer);

-- name: finish
-- Closes a run that is still open.
update core.run
set status = %(status)s, counts = %(counts)s, error = %(error)s, finished_at = clock_timestamp()
where run_id = %(run_id)s and status = 'running';

-- name: last
-- The last successful run of a kind with exactly these settings.
select r.run_id, r.counts
from core.run as r
where
    r.kind = %(kind)s and r.status = 'succeeded' and r.parameters = %(parameters)s
    and r.seed is not distinct from %(seed)s and r.code_version = %(code_version)s
order by r.run_id desc
limit 1;

-- name: dead
-- Open runs whose process is gone: nobody holds their lock.
select r.run_id, r.kind, r.started_at
from core.run as r
where
    r.status = 'running'
    and (%(kind)s::text is null or r.kind = %(kind)s)
    and not exists (
        select from pg_locks as l
        where
            l.locktype = 'advisory'
            and l.database = (select d.oid from pg_database as d where d.datname = current_database())
            and l.classid = %(space)s::oid
            and l.objid = (r.run_id % 2147483647)::integer::oid
            and l.objsubid = 2
            and l.granted
    )
order by r.run_id;

-- name: fail
-- Marks these runs failed if they are still open, and returns those that were.
update core.run
set status = 'failed', error = %(error)s, finished_at = clock_timestamp()
where run_id = any (%(run_ids)s) and status = 'running'
returning run_id;
