-- The media that fulfil a condition; what the samplers and slices choose from. It only reads: also
-- what the condition calls cannot write. How long it may take is for the session to say
-- (set statement_timeout = '30s'): a function cannot limit the statement that it is a part of.
create function smartdb.media_where(predicate text default 'true')
returns table (media_id bigint)
language plpgsql stable rows 100000 as $$ -- or the planner expects 1000
declare
    state text;
    reason text;
begin
    perform set_config('transaction_read_only', 'on', true); -- until the end of this block
    return query execute
        'select m.media_id from smartdb.media as m where ' || smartdb.checked_predicate(predicate);
exception when others then
    get stacked diagnostics state = returned_sqlstate, reason = message_text;
    perform smartdb.refuse_predicate(predicate, state, reason);
    raise;
end
$$;
comment on function smartdb.media_where(text) is
    'The media that fulfil a condition on smartdb.media, read as m; runs with the rights of the caller and cannot write. '
    'SD002 with the reason for a condition that does not work.';

-- example:
--   select * from smartdb.media_where('m.group_key = ''scene 1''')
-- result:
--   3
--   4
