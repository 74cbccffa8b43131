-- name: relations
-- Tables and views of a schema with their comments, those of encoders and runs left out.
select c.relname as name, obj_description(c.oid, 'pg_class') as comment
from pg_class as c
where
    c.relnamespace = %(schema)s::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
    and c.relname !~ '^((region_)?embedding|prediction)_\d+$'
order by c.relname collate "C";

-- name: columns
-- Columns of the same: relation, name, type, comment.
select
    c.relname as relation, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
    col_description(c.oid, a.attnum) as comment
from pg_class as c
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where
    c.relnamespace = %(schema)s::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
    and c.relname !~ '^((region_)?embedding|prediction)_\d+$'
order by c.relname collate "C", a.attnum;

-- name: routines
-- Functions and procedures of a schema: name, arguments, result, comment.
select
    p.proname as name, pg_get_function_arguments(p.oid) as arguments,
    pg_get_function_result(p.oid) as result, obj_description(p.oid, 'pg_proc') as comment
from pg_proc as p
where p.pronamespace = %(schema)s::regnamespace
order by p.proname collate "C", pg_get_function_identity_arguments(p.oid) collate "C";
