-- How many media a pruning keeps.
create function smartdb.pruning_size(pruning_id bigint, keep double precision default null) returns integer
language plpgsql stable as $$
declare
    p smartdb.pruning;
begin
    select * into p from smartdb.pruning as s where s.pruning_id = pruning_size.pruning_id;
    if not found then
        raise exception 'no pruning %', pruning_size.pruning_id
            using errcode = 'SD001', hint = 'see: select * from smartdb.pruning, or run: smartdb prune plan';
    elsif keep is not null and not (keep >= 0 and keep <= 1) then
        raise exception 'keep is a fraction from 0 to 1, not %', keep
            using errcode = 'SD002', hint = 'keep => 0.1 keeps a tenth';
    elsif keep is null and p.n_kept is null then
        raise exception 'pruning % (%) only orders its candidates', pruning_size.pruning_id, p.method
            using errcode = 'SD002', hint = 'say how many to keep, for instance keep => 0.1';
    end if;
    return coalesce(ceil(keep * p.n_candidates - 1e-9)::integer, p.n_kept);
end
$$;
comment on function smartdb.pruning_size(bigint, double precision) is
    'How many candidates are kept at a fraction, rounded up; without one, as many as the method itself keeps. SD001 for an '
    'unknown pruning; SD002 for keep outside 0 to 1, or none where the method only orders.';

-- example:
--   select smartdb.pruning_size(1, keep => 0.25), smartdb.pruning_size(1)
-- result:
--   2 | 6
