-- The k media whose captions, attributes and file names match some words, best first. The words are
-- read as search engines do: "exact phrase", or, -without. Stems of English: cars finds car.
create function smartdb.search_text(query text, k integer default 10, predicate text default 'true')
returns table (media_id bigint, score double precision)
language plpgsql stable as $$
declare
    words constant tsquery := websearch_to_tsquery('english', query);
    state text;
    reason text;
begin
    perform set_config('transaction_read_only', 'on', true); -- for this block, also what the predicate calls
    if words is null or numnode(words) = 0 then
        raise exception 'nothing to look for in "%"', coalesce(query, 'null')
            using errcode = 'SD002', hint = 'give a word that is not only an article or the like';
    elsif k is null or k < 1 then
        raise exception 'k is %, it must be 1 or more', coalesce(k::text, 'null') using errcode = 'SD002';
    end if;
    if predicate = 'true' then
        return query select t.media_id, t.score::double precision from smartdb.text_match(words, k) as t;
    else
        return query execute format(
            'select t.media_id, t.score::double precision from smartdb.text_match($1) as t
             join smartdb.media as m on m.media_id = t.media_id where %s
             order by t.score desc, t.media_id limit $2', smartdb.checked_predicate(predicate))
        using words, k;
    end if;
exception when others then
    get stacked diagnostics state = returned_sqlstate, reason = message_text;
    perform smartdb.refuse_predicate(predicate, state, reason);
    raise;
end
$$;
comment on function smartdb.search_text(text, integer, text) is
    'The k media whose captions, attributes or file names match the words, best first (ts_rank; captions weigh most); the '
    'predicate is a condition on smartdb.media, read as m. SD002 without a word to look for.';

-- example:
--   select media_id from smartdb.search_text('cat -copy', 2)
-- result:
--   1
--   2
