-- name: stamp
-- The stamp that the last rebuild left; null in a database without smartdb. Anyone may read it.
select obj_description(to_regnamespace('smartdb'), 'pg_namespace');

-- name: dependents
-- Objects of others that hang on the interface: views, functions, constraints, ...
with
ours as (
    select 'pg_class'::regclass::oid as classid, c.oid as objid
    from pg_class as c
    where c.relnamespace = to_regnamespace('smartdb')
    union all
    select 'pg_proc'::regclass, p.oid from pg_proc as p where p.pronamespace = to_regnamespace('smartdb')
    union all
    select 'pg_type'::regclass, t.oid from pg_type as t where t.typnamespace = to_regnamespace('smartdb')
),

dependent as (
    select
        case when r.oid is null then d.classid else 'pg_class'::regclass::oid end as classid,
        coalesce(r.ev_class, d.objid) as objid
    from ours as o
    join pg_depend as d on d.refclassid = o.classid and d.refobjid = o.objid
    left join pg_rewrite as r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
)

select distinct i.type || ' ' || i.identity
from dependent as d, pg_identify_object(d.classid, d.objid, 0) as i
where not exists (select from ours as o where o.classid = d.classid and o.objid = d.objid)
order by 1;

-- name: objects
-- Statements that drop everything in the interface, views with what hangs on them first.
select format(
    'drop %s if exists %s cascade',
    case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end,
    c.oid::regclass)
from pg_class as c
where c.relnamespace = to_regnamespace('smartdb') and c.relkind in ('v', 'm', 'r', 'p')
union all
select format('drop routine if exists %s cascade', p.oid::regprocedure)
from pg_proc as p
where p.pronamespace = to_regnamespace('smartdb') and p.prokind <> 'a'
union all
select format('drop aggregate if exists %s cascade', p.oid::regprocedure)
from pg_proc as p
where p.pronamespace = to_regnamespace('smartdb') and p.prokind = 'a';

-- name: encoders
-- Makes the view of each encoder's vectors.
select core.expose_encoder(e.encoder_id) from core.encoder as e order by e.encoder_id;
