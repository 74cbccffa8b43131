-- name: check
-- What a connection must know of its server: pgvector, the schema's stamp, the role, types' oids.
select
    (select e.extversion from pg_extension as e where e.extname = 'vector') as vector,
    obj_description(to_regnamespace('smartdb'), 'pg_namespace') as stamp,
    (
        select pg_has_role(r.oid, 'member') from pg_roles as r where r.rolname = %(role)s
    ) as is_member,
    coalesce((
        select jsonb_object_agg(t.typname, array[t.oid::bigint, t.typarray::bigint])
        from pg_type as t
        where
            t.typname in ('vector', 'halfvec', 'sparsevec', 'bit')
            and t.typnamespace in (
                select e.extnamespace from pg_extension as e where e.extname = 'vector'
                union all
                select 'pg_catalog'::regnamespace
            )
    ), '{}') as types;

-- name: available
-- The pgvector that could be installed in this database, if the server has one.
select a.default_version from pg_available_extensions as a where a.name = 'vector';
