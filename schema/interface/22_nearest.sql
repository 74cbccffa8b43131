-- The k media nearest to a vector by cosine distance, nearest first, ties by media_id; the
-- predicate is any condition on smartdb.media, read as m. Never fewer than k while enough match.
create function smartdb.nearest(
    query halfvec, encoder text, k integer default 10, predicate text default 'true'
)
returns table (media_id bigint, distance double precision)
language plpgsql stable
set hnsw.iterative_scan = 'strict_order' set hnsw.ef_search = 100 as $$
declare
    e smartdb.encoder;
begin
    select * into e from smartdb.encoder as r where r.name = encoder;
    if not found then
        raise exception 'no encoder %', encoder
            using errcode = 'SD001', hint = 'see: select name from smartdb.encoder';
    end if;
    if public.vector_dims(query) <> e.dim then
        raise exception 'encoder % has % dimensions, the query has %',
            encoder, e.dim, public.vector_dims(query)
            using errcode = 'SD002', hint = 'make the query with the same encoder';
    end if;
    return query execute format(
        'select n.media_id, n.distance from (
             select v.media_id, v.v operator(public.<=>) $1::public.halfvec(%s) as distance
             from %s as v %s
             order by v.v operator(public.<=>) $1::public.halfvec(%1$s) limit $2
         ) as n order by n.distance, n.media_id',
        e.dim, e.vectors,
        case when predicate = 'true' then '' else
            format('join smartdb.media as m on m.media_id = v.media_id where (%s)', predicate) end)
    using query, k;
end
$$;
comment on function smartdb.nearest(halfvec, text, integer, text) is
    'The k media nearest to the query vector by cosine distance (0 same direction, 2 opposite), '
    'nearest first; the predicate is a condition on smartdb.media, read as m. '
    'SD001 for an unknown encoder, SD002 for a query of another length.';

-- example:
--   select * from smartdb.nearest('[1,0,0]', 'tiny', 3, 'm.brightness > 0.1')
-- result:
--   2 | 0.006192
--   3 | 0.007722
--   4 | 0.009848
