-- A predicate in parentheses, if it is one SQL condition on smartdb.media read as m, or of relation
-- label on smartdb.label read as l. The statement that tries it holds it once inside parentheses and
-- once outside: what closes a parenthesis that it has not opened, adds a clause or another statement
-- is a syntax error in one of the places.
create function smartdb.checked_predicate(predicate text, relation text default 'media') returns text
language plpgsql stable as $$
declare
    source constant text := case relation
        when 'media' then 'smartdb.media as m' when 'label' then 'smartdb.label as l'
    end;
    state text;
    reason text;
begin
    perform smartdb.refuse_settings(predicate);
    perform set_config('transaction_read_only', 'on', true); -- until the end of this block
    execute format(E'select from %2$s where (%1$s\n) and %1$s\nlimit 0', predicate, source);
    return format(E'(%s\n)', predicate); -- a comment may end it
exception when others then
    get stacked diagnostics state = returned_sqlstate, reason = message_text;
    perform smartdb.refuse_predicate(predicate, state, reason);
    raise;
end
$$;
comment on function smartdb.checked_predicate(text, text) is
    'The predicate in parentheses, to be put into a statement; SD002 with the reason if it is not one valid SQL condition on '
    'smartdb.media read as m, or with relation ''label'' on smartdb.label read as l. That it only reads is for whoever runs '
    'it to see to, as media_where() does.';

-- example:
--   select smartdb.checked_predicate('m.width > 100') ~ '^\(m.width > 100\s*\)$'
-- result:
--   True
