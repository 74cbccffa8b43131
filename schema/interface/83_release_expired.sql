-- Puts tasks whose lease has run out back into the queue.
create function smartdb.release_expired(n integer default 100) returns integer
language plpgsql volatile set plan_cache_mode = force_generic_plan as $$
declare
    at constant timestamptz := clock_timestamp(); -- a constant, for the index
    released integer;
begin
    with expired as (
        select t.task_id from core.task as t
        where t.state = 'claimed' and t.lease_until < at
        order by t.lease_until limit n for update skip locked
    )
    update core.task as t set state = 'open', lease_until = null
    from expired as e where t.task_id = e.task_id;
    get diagnostics released = row_count;
    return released;
end
$$;
comment on function smartdb.release_expired(integer) is
    'Puts up to n tasks whose lease has run out back into the queue, and returns how many. Every claim does so first: '
    'nothing else needs to call it.';

-- example:
--   select smartdb.release_expired()
-- result:
--   0
