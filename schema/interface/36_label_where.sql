-- The live labels that fulfil a condition; as media_where for media.
create function smartdb.label_where(predicate text default 'true')
returns table (label_id bigint)
language plpgsql stable rows 100000 as $$
declare
    state text;
    reason text;
begin
    perform set_config('transaction_read_only', 'on', true); -- until the end of this block
    return query execute
        'select l.label_id from smartdb.label as l where ' || smartdb.checked_predicate(predicate, 'label');
exception when others then
    get stacked diagnostics state = returned_sqlstate, reason = message_text;
    perform smartdb.refuse_predicate(predicate, state, reason);
    raise;
end
$$;
comment on function smartdb.label_where(text) is
    'The live labels that fulfil a condition on smartdb.label, read as l; runs with the rights of the caller and cannot write. '
    'SD002 with the reason for a condition that does not work.';

-- example:
--   select * from smartdb.label_where('l.class = ''dog'' and l.actor = ''ana''') order by label_id
-- result:
--   14
--   15
--   16
