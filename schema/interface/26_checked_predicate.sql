-- A predicate in parentheses, if it is one SQL condition on smartdb.media read as m. The statement
-- that tries it holds it once inside parentheses and once outside: what closes a parenthesis that
-- it has not opened, adds a clause or another statement is a syntax error in one of the places.
-- What could take another role in the middle of it, and so see hidden media through the API, is
-- refused by name: the one function of Postgres that sets, those that run text, escaped names.
create function smartdb.checked_predicate(predicate text) returns text
language plpgsql stable as $$
declare
    state text;
    reason text;
begin
    if predicate ~* 'set_config|_to_xml|ts_stat|ts_rewrite|u&"' then
        raise exception 'it may neither change settings nor run SQL given as text' using errcode = '42501';
    end if;
    perform set_config('transaction_read_only', 'on', true); -- until the end of this block
    execute format(E'select from smartdb.media as m where (%1$s\n) and %1$s\nlimit 0', predicate);
    return format(E'(%s\n)', predicate); -- a comment may end it
exception when others then
    get stacked diagnostics state = returned_sqlstate, reason = message_text;
    perform smartdb.refuse_predicate(predicate, state, reason);
    raise;
end
$$;
comment on function smartdb.checked_predicate(text) is
    'The predicate in parentheses, to be put into a statement; SD002 with the reason if it is not one valid SQL condition on '
    'smartdb.media read as m. That it only reads is for whoever runs it to see to, as media_where() does.';

-- example:
--   select smartdb.checked_predicate('m.width > 100') ~ '^\(m.width > 100\s*\)$'
-- result:
--   True
