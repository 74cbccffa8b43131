-- References of the tables that take many rows at once. A foreign key asks once a row, and locks the
-- row it found; this asks once a statement, over all its rows. It is as safe because what is
-- referred to is permanent: never deleted, its key never changed. See docs/decisions.

create function core.keep_permanent() returns trigger
language plpgsql as $$
begin
    raise exception 'rows of %.% are permanent: other rows refer to them', tg_table_schema, tg_table_name
        using errcode = 'SD003', hint = 'hide a media by a row in core.restriction; retire a class in a new version';
end
$$;
comment on function core.keep_permanent() is
    'Statement trigger of tables that others refer to: refuses delete, truncate and a new key.';

create procedure core.make_permanent(relation regclass, key name)
language plpgsql as $$
begin
    execute format(
        'create trigger keep_permanent before delete or truncate on %s
         for each statement execute function core.keep_permanent()', relation);
    execute format(
        'create trigger keep_key before update of %I on %s
         for each statement execute function core.keep_permanent()', key, relation);
end
$$;
comment on procedure core.make_permanent(regclass, name) is
    'Makes a new table one that others may refer to by core.refer: no row and no key of it ever goes.';

create function core.refuse_reference(relation regclass, key name, target regclass, missing bigint)
returns void language plpgsql as $$
begin
    raise exception '% refers to % %, which % does not have', relation, key, missing, target
        using errcode = '23503', hint = 'make that row first';
end
$$;
comment on function core.refuse_reference(regclass, name, regclass, bigint) is
    'Raises 23503, the error of a foreign key, with the value that is missing.';

create procedure core.make_checker(name text, reference text[][])
language plpgsql as $outer$
declare
    r text[];
    few text := '';
    many text := '';
begin
    foreach r slice 1 in array reference loop
        if not exists (
            select from pg_trigger as t
            where t.tgrelid = r[2]::regclass and t.tgname in ('keep_permanent', 'keep_row')
        ) then
            raise exception '% is not permanent', r[2]
                using errcode = 'SD002', hint = 'call core.make_permanent first';
        end if;
        few := few || format($sql$
        select c.%1$I into missing from changed as c
        where c.%1$I is not null and not exists (select from %2$s as t where t.%3$I = c.%1$I)
        limit 1;
        if found then
            perform core.refuse_reference(tg_relid, %1$L, %2$L, missing);
        end if;$sql$, r[1], r[2]::regclass, r[3]);
        many := many || format($sql$
        execute 'select c.%1$I from changed as c left join %2$s as t on t.%3$I = c.%1$I
            where c.%1$I is not null and t.%3$I is null limit 1' into missing;
        if missing is not null then
            perform core.refuse_reference(tg_relid, %1$L, %2$L, missing);
        end if;$sql$, r[1], r[2]::regclass, r[3]);
    end loop;
    execute format($sql$
create function core.%I() returns trigger
language plpgsql security definer set search_path = pg_catalog
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
set enable_material = off as $body$ -- else it may hold the whole target against each row
declare
    missing bigint;
begin
    if not exists (select from changed offset 1000) then -- one plan, kept: look each up in the index%s
    else -- planned for the number of rows at hand
        perform set_config(g.name, 'on', true)
        from unnest('{enable_mergejoin,enable_seqscan}'::text[]) as g (name);%s -- by the index, in order: 3x a hash of the target
    end if;
    return null;
end
$body$ $sql$, name, few, many);
    execute format('comment on function core.%I() is %L', name,
        'Statement trigger made by core.make_checker: what the changed rows refer to exists.');
end
$outer$;
comment on procedure core.make_checker(text, text[][]) is
    'Makes the trigger function that looks up references, each {column, permanent table, its key}, '
    'once a statement, hidden rows included: by the index for few rows, by a join for many.';

create procedure core.attach_checker(relation regclass, name text)
language plpgsql as $$
declare
    event text;
begin
    foreach event in array array['insert', 'update'] loop
        continue when event = 'update' and exists (
            select from pg_trigger as t where t.tgrelid = relation and t.tgname in ('close_row', 'keep_facts')
        ); -- an update cannot change there what a row refers to
        execute format(
            'create trigger refers_on_%1$s after %1$s on %2$s referencing new table as changed
             for each statement execute function core.%3$I()', event, relation, name);
    end loop;
end
$$;
comment on procedure core.attach_checker(regclass, text) is
    'Has a function of core.make_checker check the rows of a new table.';

create procedure core.refer(relation regclass, reference text[][])
language plpgsql as $$
declare
    name constant text := (select c.relname || '_refers' from pg_class as c where c.oid = relation);
begin
    call core.make_checker(name, reference);
    call core.attach_checker(relation, name);
end
$$;
comment on procedure core.refer(regclass, text[][]) is
    'Checks the references of a new table, each {column, permanent table, its key}, once a statement.';
