-- name: at
-- Whether migrations were ever run, and the comment with the digest of the baseline they began at.
select
    to_regclass('core.alembic_version') is not null,
    obj_description(to_regnamespace('core'), 'pg_namespace');

-- name: revision
-- The revision the tables are at; no row if an upgrade never ended.
select a.version_num from core.alembic_version as a;
