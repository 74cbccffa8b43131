-- The vector of a saved text, to order media by. Immutable, for a text's vector by an encoder never
-- changes: so `order by v <=> smartdb.prompt('...')` looks it up once, not once a row, and can use the
-- index. Another encoder's prompts may make a text ambiguous, which is an error, not another answer.
create function smartdb.prompt(text text, encoder text default null) returns halfvec
language plpgsql immutable parallel safe as $$
declare
    known text[];
    result public.halfvec; -- plpgsql looks names up when it is called, in any search_path
begin
    select array_agg(p.encoder order by p.encoder), (array_agg(p.v))[1] into known, result
    from smartdb.saved_prompt as p
    where p.text = prompt.text and (prompt.encoder is null or p.encoder = prompt.encoder);
    if known is null then
        raise exception 'no prompt "%"%', prompt.text, coalesce(' of encoder ' || prompt.encoder, '')
            using errcode = 'SD001', hint = format('run: smartdb prompt add %s%s',
                '''' || replace(prompt.text, '''', '''\''''') || '''', coalesce(' --encoder ' || prompt.encoder, ''));
    elsif cardinality(known) > 1 then
        raise exception 'prompt "%" is saved for several encoders: %', prompt.text, array_to_string(known, ', ')
            using errcode = 'SD002', hint = 'name one: smartdb.prompt(text, encoder)';
    end if;
    return result;
end
$$;
comment on function smartdb.prompt(text, text) is
    'The vector of a text that was saved by smartdb prompt add: order by v <=> smartdb.prompt(text), or nearest(prompt(text), ...). '
    'SD001 if it was not saved, SD002 if it was for several encoders and none is named.';

-- example:
--   select media_id from smartdb.embedding_1 order by v <=> smartdb.prompt('a cat') limit 3
-- result:
--   4
--   5
--   3
