-- Words and a vector together: the ranks by both, fused into one score by reciprocal rank
-- (Cormack, Clarke, Buettcher 2009: the sum of 1 / (60 + rank)). A media that only one of the two
-- finds among its first 5 k (100 at least) has no rank by the other.
create function smartdb.search(
    query text, vector halfvec, encoder text default null, k integer default 10, predicate text default 'true'
)
returns table (
    media_id bigint, score double precision, text_rank bigint, vector_rank bigint, distance double precision
)
language sql stable
begin atomic
    with by_text as (
        select t.media_id, row_number() over (order by t.score desc, t.media_id) as place
        from smartdb.search_text(query, case when k > 0 then greatest(5 * k, 100) else k end, predicate) as t
    ),
    by_vector as (
        select n.media_id, n.distance, row_number() over (order by n.distance, n.media_id) as place
        from smartdb.nearest(
            vector, (smartdb.require_encoder(encoder)).name, case when k > 0 then greatest(5 * k, 100) else k end, predicate
        ) as n
    )
    select
        media_id, coalesce(1 / (60.0 + t.place), 0)::double precision + coalesce(1 / (60.0 + v.place), 0)::double precision,
        t.place, v.place, v.distance
    from by_text as t full join by_vector as v using (media_id)
    order by 2 desc, 1
    limit greatest(k, 1);
end;
comment on function smartdb.search(text, halfvec, text, integer, text) is
    'The k media that words (as in search_text) and a vector (as in nearest; prompt(text) gives one) find together, best first: '
    'score is the sum of 1 / (60 + rank), and the ranks by both stand beside it, null where only the other found it.';

-- example:
--   select media_id, text_rank, vector_rank from smartdb.search('cat', smartdb.prompt('a cat'), k => 3)
-- result:
--   4 | 4 | 1
--   1 | 1 | 5
--   2 | 2 | 4
