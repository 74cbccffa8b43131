-- Says what is wrong with a predicate, if it is the predicate that Postgres blames: its data (22),
-- its syntax, names or rights (42), what is unsupported (0A) or too large (54), or that it writes.
create function smartdb.refuse_predicate(predicate text, state text, reason text) returns void
language plpgsql stable as $$
begin
    if state ~ '^(22|42|0A|54|2500)' then
        raise exception 'the predicate % does not work: %', quote_nullable(left(predicate, 500)), reason
            using errcode = 'SD002', hint = 'it is one SQL condition on smartdb.media, read as m (of regions on smartdb.label, read as l), and only reads';
    end if;
end
$$;
comment on function smartdb.refuse_predicate(text, text, text) is
    'Raises SD002 with the predicate and the reason if this SQLSTATE blames the predicate, else does nothing.';

-- example:
--   select smartdb.refuse_predicate('true', '40001', 'could not serialize access')::text = ''
-- result:
--   True
