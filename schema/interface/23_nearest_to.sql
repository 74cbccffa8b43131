-- More media like these and fewer like those: the k nearest to example_vector(), the examples left out.
create function smartdb.nearest_to(
    more bigint[], fewer bigint[] default '{}', encoder text default null, k integer default 10,
    predicate text default 'true'
)
returns table (media_id bigint, distance double precision)
language sql stable
begin atomic
    select n.media_id, n.distance
    from smartdb.nearest(
        smartdb.example_vector(more, fewer, encoder), (smartdb.require_encoder(encoder)).name,
        case when k > 0 then k + cardinality(more) + coalesce(cardinality(fewer), 0) else k end, predicate
    ) as n
    where n.media_id <> all (more || fewer)
    order by n.distance, n.media_id
    limit greatest(k, 1);
end;
comment on function smartdb.nearest_to(bigint[], bigint[], text, integer, text) is
    'The k media most like some and least like others (ids of media both), these left out; encoder may be left out where there is '
    'one, predicate as in nearest().';

-- example:
--   select media_id from smartdb.nearest_to('{6,7}', '{1}', k => 3)
-- result:
--   8
--   9
--   10
