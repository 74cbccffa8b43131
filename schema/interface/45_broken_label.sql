-- The live labels that do not fulfil a condition which every label must.
create function smartdb.broken_label(predicate text)
returns table (label_id bigint)
language plpgsql stable rows 1000 as $$
declare
    condition constant text := smartdb.checked_predicate(predicate, 'label');
begin
    perform set_config('transaction_read_only', 'on', true); -- until the end of this block
    return query execute 'select l.label_id from smartdb.label as l where not ' || condition || ' order by l.label_id';
exception when others then
    perform smartdb.refuse_predicate(predicate, sqlstate, sqlerrm);
    raise;
end
$$;
comment on function smartdb.broken_label(text) is
    'The live labels that do not fulfil a condition on smartdb.label, read as l; one where it is null fulfils it. Runs with the '
    'rights of the caller and cannot write. SD002 with the reason for a condition that does not work.';

-- example:
--   select * from smartdb.broken_label('l.kind <> ''box'' or l.w * l.h > 64')
-- result:
--   103
