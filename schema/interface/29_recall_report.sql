-- How well nearest() does: its answers beside the exact ones, for some media as queries, each left
-- out of its own answer. A found media counts if it is not farther than the k-th of the exact answer.
create function smartdb.recall_report(
    encoder text default null, k integer default 10, n_queries integer default 20, seed bigint default 0,
    predicate text default 'true'
)
returns table (
    has_index boolean, n bigint, recall double precision, worst double precision, n_short bigint,
    median_ms double precision, p95_ms double precision, exact_ms double precision
)
language plpgsql stable as $$
declare
    e constant smartdb.encoder := smartdb.require_encoder(encoder);
    chosen constant text := case when predicate = 'true' then '' else
        'and exists (select from smartdb.media as m where m.media_id = v.media_id and '
        || smartdb.checked_predicate(predicate) || ')' end;
    queries bigint[];
    media bigint;
    found double precision[];
    exact double precision[];
    started timestamptz;
    shares double precision[] := '{}';
    times double precision[] := '{}';
    exact_times double precision[] := '{}';
    short bigint := 0;
    state text;
    reason text;
begin
    perform set_config('transaction_read_only', 'on', true); -- for this block, also what the predicate calls
    execute format(
        'select array(select v.media_id from %s as v order by hashint8extended(v.media_id, $1), v.media_id limit $2)', e.vectors)
    into queries using seed, greatest(n_queries, 0);
    foreach media in array queries loop
        started := clock_timestamp();
        found := array(select s.distance from smartdb.similar(media, e.name, k, predicate) as s);
        times := times || 1000 * extract(epoch from clock_timestamp() - started)::double precision;
        started := clock_timestamp();
        execute format(
            'select array(select (v.v operator(public.<=>) $1::public.halfvec(%s)) + 0 from %s as v
             where v.media_id <> $2 %s order by 1 limit $3)', e.dim, e.vectors, chosen)
        into exact using smartdb.vector_of(media, e.name), media, k;
        exact_times := exact_times || 1000 * extract(epoch from clock_timestamp() - started)::double precision;
        short := short + (cardinality(found) < cardinality(exact))::integer;
        shares := shares || coalesce((
            select count(*)::double precision / cardinality(exact) from unnest(found) as f (distance)
            where f.distance <= exact[cardinality(exact)] + 1e-9), 1);
    end loop;
    return query
    select
        exists (
            select from pg_catalog.pg_class as c
            where c.relname = format('embedding_%s_hnsw', e.encoder_id) and c.relnamespace = 'core'::regnamespace),
        count(*), avg(q.share), min(q.share), short,
        percentile_cont(0.5) within group (order by q.ms), percentile_cont(0.95) within group (order by q.ms),
        percentile_cont(0.5) within group (order by q.exact_ms)
    from unnest(shares, times, exact_times) as q (share, ms, exact_ms);
exception when others then
    get stacked diagnostics state = returned_sqlstate, reason = message_text;
    perform smartdb.refuse_predicate(predicate, state, reason);
    raise;
end
$$;
comment on function smartdb.recall_report(text, integer, integer, bigint, text) is
    'How much of the exact answer nearest() finds (recall, mean and worst, of n_queries media chosen by the seed), how often '
    'it gives fewer than there are (n_short: never), and its milliseconds beside those of the exact search.';

-- example:
--   select has_index, n, recall, n_short from smartdb.recall_report('tiny', 3)
-- result:
--   False | 10 | 1 | 0
