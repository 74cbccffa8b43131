-- The k media nearest to a vector by cosine distance, nearest first, ties by media_id; the
-- predicate is any condition on smartdb.media, read as m. Never fewer than k while enough match:
-- a condition that few media fulfil is answered exactly from these, one that many fulfil by the
-- HNSW index if there is one, and what the index leaves short is answered exactly again.
create function smartdb.nearest(
    query halfvec, encoder text, k integer default 10, predicate text default 'true'
)
returns table (media_id bigint, distance double precision)
language plpgsql stable
set hnsw.iterative_scan = 'relaxed_order' set hnsw.ef_search = 200 as $$
declare
    statement constant text := 'select n.media_id, n.distance from (
        select v.media_id, v.v operator(public.<=>) $1::public.halfvec(%1$s) as distance from %2$s as v %3$s
        order by %4$s limit $2) as n order by n.distance, n.media_id';
    by_index constant text := 'v.v operator(public.<=>) $1::public.halfvec(%s)';
    exactly constant text := '(v.v operator(public.<=>) $1::public.halfvec(%s)) + 0, v.media_id';
    e constant smartdb.encoder := smartdb.require_encoder(encoder);
    condition text;
    chosen text := '';
    indexed real; -- number of vectors in the index, if there is one
    few bigint;
    candidates bigint[];
    found_ids bigint[];
    found_distances double precision[];
    state text;
    reason text;
begin
    perform set_config('transaction_read_only', 'on', true); -- for this block, also what the predicate calls
    perform smartdb.refuse_query(query, e, k);
    if predicate is distinct from 'true' then
        condition := smartdb.checked_predicate(predicate);
        chosen := 'join smartdb.media as m on m.media_id = v.media_id where ' || condition;
    end if;
    select c.reltuples into indexed from pg_catalog.pg_class as c
    where c.relname = format('embedding_%s_hnsw', e.encoder_id) and c.relnamespace = 'core'::regnamespace;
    if indexed is not null then
        if condition is not null then
            few := greatest(2000, sqrt(25.0 * k * indexed)); -- where reading them costs what the index would
            execute format('select array(select m.media_id from smartdb.media as m where %s limit $1)', condition)
            into candidates using few + 1;
        end if;
        if cardinality(candidates) <= few then
            chosen := 'where v.media_id = any ($3)';
        else
            perform set_config(
                'hnsw.ef_search', least(greatest(case when condition is null then 200 else 400 end, 4 * k), 1000)::text, true);
            execute format(
                'select array_agg(f.media_id), array_agg(f.distance) from (' || statement || ') as f',
                e.dim, e.vectors, chosen, format(by_index, e.dim))
            into found_ids, found_distances using query, k;
        end if;
    end if;
    if cardinality(found_ids) >= k then
        return query select f.id, f.d from unnest(found_ids, found_distances) with ordinality as f (id, d, place)
        order by f.place;
    else
        return query execute format(statement, e.dim, e.vectors, chosen, format(exactly, e.dim))
        using query, k, candidates;
    end if;
exception when others then
    get stacked diagnostics state = returned_sqlstate, reason = message_text;
    perform smartdb.refuse_predicate(predicate, state, reason);
    raise;
end
$$;
comment on function smartdb.nearest(halfvec, text, integer, text) is
    'The k media nearest to the query vector by cosine distance (0 same direction, 2 opposite), '
    'nearest first; the predicate is a condition on smartdb.media, read as m. '
    'SD001 for an unknown encoder; SD002 for a query of another length or zero, a k below 1, or a predicate that does not work.';

-- example:
--   select * from smartdb.nearest('[1,0,0]', 'tiny', 3, 'm.brightness > 0.1')
-- result:
--   2 | 0.006192
--   3 | 0.007722
--   4 | 0.009848
