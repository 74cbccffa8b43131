-- The k media nearest to a media, itself left out.
create function smartdb.similar(
    media bigint, encoder text, k integer default 10, predicate text default 'true'
)
returns table (media_id bigint, distance double precision)
language sql stable
begin atomic
    select n.media_id, n.distance
    from smartdb.nearest(
        smartdb.vector_of(media, encoder), encoder, case when k > 0 then k + 1 else k end, predicate
    ) as n
    where n.media_id <> media
    order by n.distance, n.media_id
    limit greatest(k, 1);
end;
comment on function smartdb.similar(bigint, text, integer, text) is
    'The k media nearest to a media by an encoder, itself left out; predicate as in nearest().';

-- example:
--   select * from smartdb.similar(6, 'tiny', 3)
-- result:
--   7 | 0.0002938
--   8 | 0.001162
--   9 | 0.002593
