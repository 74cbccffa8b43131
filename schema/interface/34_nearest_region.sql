-- The k live regions nearest to a vector by cosine distance, nearest first, ties by label_id; the
-- predicate is any condition on smartdb.label, read as l. Never fewer than k while enough match:
-- what an HNSW index leaves short is answered exactly.
create function smartdb.nearest_region(
    query halfvec, encoder text, k integer default 10, predicate text default 'true'
)
returns table (label_id bigint, media_id bigint, distance double precision)
language plpgsql stable
set hnsw.iterative_scan = 'relaxed_order' set hnsw.ef_search = 400 as $$
declare
    statement constant text := 'select n.label_id, n.media_id, n.distance from (
        select v.label_id, v.media_id, v.v operator(public.<=>) $1::public.halfvec(%1$s) as distance
        from %2$s as v %3$s order by %4$s limit $2) as n order by n.distance, n.label_id';
    by_index constant text := 'v.v operator(public.<=>) $1::public.halfvec(%s)';
    exactly constant text := '(v.v operator(public.<=>) $1::public.halfvec(%s)) + 0, v.label_id';
    e constant smartdb.encoder := smartdb.require_encoder(encoder);
    chosen text := '';
    labels bigint[];
    media bigint[];
    distances double precision[];
    state text;
    reason text;
begin
    perform set_config('transaction_read_only', 'on', true); -- for this block, also what the predicate calls
    perform smartdb.refuse_query(query, e, k);
    if predicate is distinct from 'true' then
        chosen := 'join smartdb.label as l on l.label_id = v.label_id where '
            || smartdb.checked_predicate(predicate, 'label');
    end if;
    if exists (
        select from pg_catalog.pg_class as i
        where i.relname = format('region_embedding_%s_hnsw', e.encoder_id) and i.relnamespace = 'core'::regnamespace
    ) then
        perform set_config('hnsw.ef_search', least(greatest(400, 4 * k), 1000)::text, true);
        execute format(
            'select array_agg(f.label_id), array_agg(f.media_id), array_agg(f.distance) from (' || statement || ') as f',
            e.dim, e.region_vectors, chosen, format(by_index, e.dim))
        into labels, media, distances using query, k;
    end if;
    if cardinality(labels) >= k then
        return query select f.l, f.m, f.d from unnest(labels, media, distances) with ordinality as f (l, m, d, place)
        order by f.place;
    else
        return query execute format(statement, e.dim, e.region_vectors, chosen, format(exactly, e.dim))
        using query, k;
    end if;
exception when others then
    get stacked diagnostics state = returned_sqlstate, reason = message_text;
    perform smartdb.refuse_predicate(predicate, state, reason);
    raise;
end
$$;
comment on function smartdb.nearest_region(halfvec, text, integer, text) is
    'The k live regions nearest to the query vector by cosine distance (0 same direction, 2 opposite), nearest first; the '
    'predicate is a condition on smartdb.label, read as l. The query may be a vector of a region or of a whole picture. '
    'SD001 for an unknown encoder, SD002 for a query of another length.';

-- example:
--   select * from smartdb.nearest_region('[1,0,0]', 'tiny', 2, 'l.class = ''cat''')
-- result:
--   103 | 10 | 0
--   102 | 8 | 0.2001
