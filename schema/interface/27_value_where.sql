-- The value of an expression for each media that fulfils a condition: what strata and weights are
-- read by. As with media_where, also what the expression calls cannot write, and the statement that
-- tries it holds it inside and outside of parentheses.
create function smartdb.value_where(expression text, predicate text default 'true')
returns table (media_id bigint, value text)
language plpgsql stable rows 100000 as $$
declare
    tried constant text := E'select from smartdb.media as m where (%1$s\n) is not null and %1$s is not null\nlimit 0';
    reading constant text := E'select m.media_id, (%s\n)::text from smartdb.media as m where ';
    condition constant text := smartdb.checked_predicate(predicate);
    state text;
    reason text;
begin
    perform set_config('transaction_read_only', 'on', true); -- until the end of this block
    perform smartdb.refuse_settings(expression);
    execute format(tried, expression);
    return query execute format(reading, expression) || condition;
exception when others then
    get stacked diagnostics state = returned_sqlstate, reason = message_text;
    if state ~ '^(22|42|0A|54|2500)' then
        raise exception 'the expression % does not work: %', quote_nullable(left(expression, 500)), reason
            using errcode = 'SD002', hint = 'it is one SQL expression on smartdb.media, read as m, and only reads';
    end if;
    raise;
end
$$;
comment on function smartdb.value_where(text, text) is
    'The value, as text, of an expression on smartdb.media, read as m, for the media that fulfil a condition; runs with the '
    'rights of the caller and cannot write. SD002 with the reason for what does not work.';

-- example:
--   select * from smartdb.value_where('m.n_bytes / 10', 'm.group_key = ''scene 1''')
-- result:
--   3 | 10
--   4 | 10
