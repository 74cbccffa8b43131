-- The media whose captions, attributes and file names match a text search query, best first. Reads
-- core, for there the words are, and gives ids and scores only: what is written where is not told.
create function smartdb.text_match(query tsquery, n bigint default null)
returns table (media_id bigint, score real)
language sql stable rows 1000
begin atomic
    select t.media_id, t.score from core.text_match(query, n) as t;
end;
comment on function smartdb.text_match(tsquery, bigint) is
    'The first n media (all by default) that match, best first (ts_rank); for who writes a tsquery, else use search_text().';

-- example:
--   select media_id from smartdb.text_match('dog & !9', 2)
-- result:
--   6
--   7
