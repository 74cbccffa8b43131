-- name: schema
-- Schemas, their owners and privileges. (Their comments are stamps, which differ by nature.)
select n.nspname, concat_ws(' | ', n.nspowner::regrole, privileges.list)
from pg_namespace as n
left join lateral (
        select 'privileges ' || array(select unnest(n.nspacl)::text order by 1)::text as list
        where n.nspacl is not null) as privileges on true
where n.nspname = any (%(schemas)s);

-- name: relation
-- Tables, views and sequences: kind, owner, privileges, row security, storage options, comment.
select
    c.oid::regclass::text,
    concat_ws(
        ' | ', c.relkind, c.relowner::regrole, privileges.list, c.relpersistence, c.reloptions::text,
        case when c.relrowsecurity then 'row security' end,
        case when c.relforcerowsecurity then 'also for the owner' end,
        pg_get_partkeydef(c.oid), 'comment ' || obj_description(c.oid, 'pg_class'))
from pg_class as c
left join lateral (
        select 'privileges ' || array(select unnest(c.relacl)::text order by 1)::text as list
        where c.relacl is not null) as privileges on true
where
    c.relnamespace = any (%(schemas)s::regnamespace[]) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
    and c.oid is distinct from to_regclass('core.alembic_version');

-- name: column
-- Columns: type, null, default, identity, storage, privileges, comment. Their order does not count.
select
    format('%s.%I', c.oid::regclass, a.attname),
    concat_ws(
        ' | ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
        'default ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, ''), nullif(a.attgenerated, ''),
        a.attstorage, privileges.list, 'comment ' || col_description(c.oid, a.attnum))
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
left join lateral (
        select 'privileges ' || array(select unnest(a.attacl)::text order by 1)::text as list
        where a.attacl is not null) as privileges on true
where
    c.relnamespace = any (%(schemas)s::regnamespace[]) and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and c.oid is distinct from to_regclass('core.alembic_version');

-- name: sequence
-- Sequences: type, step, bounds, cache.
select
    s.seqrelid::regclass::text,
    concat_ws(' | ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
        s.seqcycle)
from pg_sequence as s
join pg_class as c on c.oid = s.seqrelid
where c.relnamespace = any (%(schemas)s::regnamespace[]);

-- name: constraint
-- Constraints of tables. (Not null stands with the columns.)
select
    format('%I on %s', c.conname, c.conrelid::regclass),
    concat_ws(' | ', pg_get_constraintdef(c.oid), case when not c.convalidated then 'not valid' end,
        'comment ' || obj_description(c.oid, 'pg_constraint'))
from pg_constraint as c
where
    c.connamespace = any (%(schemas)s::regnamespace[]) and c.contype <> 'n' and c.conrelid <> 0
    and c.conrelid is distinct from to_regclass('core.alembic_version');

-- name: index
-- Indexes.
select
    i.indexrelid::regclass::text,
    concat_ws(' | ', pg_get_indexdef(i.indexrelid), case when not i.indisvalid then 'not valid' end,
        'comment ' || obj_description(i.indexrelid, 'pg_class'))
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
where
    c.relnamespace = any (%(schemas)s::regnamespace[])
    and i.indrelid is distinct from to_regclass('core.alembic_version');

-- name: view
-- Views.
select c.oid::regclass::text, pg_get_viewdef(c.oid)
from pg_class as c
where c.relnamespace = any (%(schemas)s::regnamespace[]) and c.relkind in ('v', 'm');

-- name: routine
-- Functions and procedures: definition, owner, privileges, comment.
select
    p.oid::regprocedure::text,
    concat_ws(
        ' | ', case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end, p.proowner::regrole,
        privileges.list, 'comment ' || obj_description(p.oid, 'pg_proc'))
from pg_proc as p
left join lateral (
        select 'privileges ' || array(select unnest(p.proacl)::text order by 1)::text as list
        where p.proacl is not null) as privileges on true
where p.pronamespace = any (%(schemas)s::regnamespace[]);

-- name: trigger
-- Triggers, and whether they are on.
select
    format('%I on %s', t.tgname, t.tgrelid::regclass),
    concat_ws(' | ', pg_get_triggerdef(t.oid), t.tgenabled, 'comment ' || obj_description(t.oid, 'pg_trigger'))
from pg_trigger as t
join pg_class as c on c.oid = t.tgrelid
where c.relnamespace = any (%(schemas)s::regnamespace[]) and not t.tgisinternal;

-- name: policy
-- Policies of row-level security.
select
    format('%I on %s', p.polname, p.polrelid::regclass),
    concat_ws(
        ' | ', p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
        'using ' || pg_get_expr(p.polqual, p.polrelid),
        'check ' || pg_get_expr(p.polwithcheck, p.polrelid),
        'comment ' || obj_description(p.oid, 'pg_policy'))
from pg_policy as p
join pg_class as c on c.oid = p.polrelid
where c.relnamespace = any (%(schemas)s::regnamespace[]);

-- name: type
-- Types and domains of their own (not those of tables).
select
    t.oid::regtype::text,
    concat_ws(
        ' | ', t.typtype, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
        t.typowner::regrole,
        (select string_agg(e.enumlabel, ', ' order by e.enumsortorder)
         from pg_enum as e where e.enumtypid = t.oid),
        'comment ' || obj_description(t.oid, 'pg_type'))
from pg_type as t
where
    t.typnamespace = any (%(schemas)s::regnamespace[]) and t.typtype in ('d', 'e', 'r', 'm');

-- name: default
-- Privileges on what our owner makes later.
select
    concat_ws(' ', d.defaclobjtype, 'of', d.defaclrole::regrole, 'in', d.defaclnamespace::regnamespace),
    array(select unnest(d.defaclacl)::text order by 1)::text
from pg_default_acl as d
where
    d.defaclrole = to_regrole('smartdb_owner')
    and (d.defaclnamespace = 0 or d.defaclnamespace = any (%(schemas)s::regnamespace[]));
