-- name: vector
-- Newest pgvector that can be installed here (or is), and the schema of the one that is.
select
    coalesce(
        (select e.extversion from pg_extension as e where e.extname = 'vector'),
        (select a.default_version from pg_available_extensions as a where a.name = 'vector')),
    (select e.extnamespace::regnamespace::text from pg_extension as e where e.extname = 'vector');

-- name: has_roles
-- Whether somebody has made the roles already.
select to_regrole('smartdb_owner') is not null;

-- name: owner
-- Who owns a schema; no row if there is none.
select n.nspowner::regrole::text from pg_namespace as n where n.nspname = %(schema)s;

-- name: lock
-- Waits for another upgrade of this database, until the transaction ends.
select pg_advisory_xact_lock(7360400);
