-- The k live regions nearest to the region of a label, itself left out.
create function smartdb.similar_region(
    label bigint, encoder text, k integer default 10, predicate text default 'true'
)
returns table (label_id bigint, media_id bigint, distance double precision)
language sql stable
begin atomic
    select n.label_id, n.media_id, n.distance
    from smartdb.nearest_region(
        smartdb.vector_of_region(label, encoder), encoder, k + 1, predicate
    ) as n
    where n.label_id <> label
    order by n.distance, n.label_id
    limit k;
end;
comment on function smartdb.similar_region(bigint, text, integer, text) is
    'The k live regions nearest to the region of a label by an encoder, itself left out; predicate as in nearest_region().';

-- example:
--   select * from smartdb.similar_region(102, 'tiny', 2)
-- result:
--   103 | 10 | 0.2001
--   101 | 8 | 0.3998
