-- A predicate in parentheses, if it is one SQL condition on smartdb.media read as m. The statement
-- that tries it holds it once inside parentheses and once outside: what closes a parenthesis that
-- it has not opened, adds a clause or another statement is a syntax error in one of the places.
create function smartdb.checked_predicate(predicate text) returns text
language plpgsql stable as $$
declare
    state text;
    reason text;
begin
    perform smartdb.refuse_settings(predicate);
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
