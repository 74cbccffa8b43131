-- Revisions: one sequence stamps every row that can change, and a checkpoint is a mark in it that
-- never moves. Rows are never updated in place: a change closes one row and opens the next.

create sequence core.revision as bigint;
comment on sequence core.revision is
    'Stamps every versioned row; a larger number is a later change. Never cached, so order is true.';

create function core.hold_revision() returns trigger
language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(7360401);
    return null;
end
$$;
comment on function core.hold_revision() is
    'Statement trigger of versioned tables: a checkpoint waits until this transaction has ended.';

create function core.close_row() returns trigger
language plpgsql as $$
begin
    if new.rev_to is not distinct from old.rev_to and pg_has_role(current_user, 'smartdb_owner', 'usage') then
        if core.is_blanked(tg_table_name, to_jsonb(old), to_jsonb(new)) then
            return new;
        end if;
    end if;
    if old.rev_to is not null then
        raise exception '% row was closed at revision % and cannot change', tg_table_name, old.rev_to
            using errcode = 'SD003', hint = 'history is kept: write a new row instead';
    end if;
    old.rev_to := nextval('core.revision');
    return old;
end
$$;
comment on function core.close_row() is
    'Row trigger of versioned tables: the only update there is sets rev_to, once, to the next '
    'revision, whatever the statement said. But what is said of an erased media may be blanked.';

create function core.keep_row() returns trigger
language plpgsql as $$
begin
    raise exception '%.% keeps its history: rows cannot be deleted', tg_table_schema, tg_table_name
        using errcode = 'SD003', hint = 'close the row instead: update ... set rev_to = 0';
end
$$;
comment on function core.keep_row() is 'Statement trigger that refuses delete and truncate.';

create procedure core.make_versioned(relation regclass)
language plpgsql as $$
begin
    execute format(
        'create trigger hold_revision before insert or update on %s
         for each statement execute function core.hold_revision()', relation);
    execute format(
        'create trigger close_row before update on %s
         for each row execute function core.close_row()', relation);
    execute format(
        'create trigger keep_row before delete or truncate on %s
         for each statement execute function core.keep_row()', relation);
end
$$;
comment on procedure core.make_versioned(regclass) is
    'Puts the three triggers of a versioned table (columns rev_from, rev_to) on a new table.';

create function core.checkpoint() returns bigint
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(7360401);
    return nextval('core.revision');
end
$$;
comment on function core.checkpoint() is
    'Waits until no writer of a versioned table is in flight and returns a revision that never '
    'moves afterwards: rows live at it are rev_from <= r and (rev_to is null or rev_to > r). '
    'Call it in a short transaction of its own: writers wait until that ends.';
