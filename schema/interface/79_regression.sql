-- What changed from run a to run b on the media both predicted, both judged against b's truth.
create function smartdb.regression(run_a bigint, run_b bigint, split text default 'test')
returns table (
    media_id bigint, change text, class text, predicted_a text, predicted_b text,
    confidence_a real, confidence_b real
)
language sql stable parallel safe
begin atomic
    with a as materialized (
        select p.media_id, p.predicted_class, p.confidence
        from smartdb.prediction as p where p.run_id = run_a
    ),
    b as materialized (
        select p.media_id, p.class, p.predicted_class, p.confidence
        from smartdb.prediction as p
        where p.run_id = run_b and p.split = regression.split and p.class is not null
    )
    select
        b.media_id,
        case
            when a.predicted_class = b.class and b.predicted_class = b.class then 'both right'
            when b.predicted_class = b.class then 'fixed'
            when a.predicted_class = b.class then 'broken'
            else 'both wrong'
        end,
        b.class, a.predicted_class, b.predicted_class, a.confidence, b.confidence
    from b join a on a.media_id = b.media_id;
end;
comment on function smartdb.regression(bigint, bigint, text) is
    'Each media of a split of run b that both runs predicted: fixed, broken, both right or both wrong, judged against the labels of run b.';

-- example:
--   select * from smartdb.regression(4, 5) order by media_id
-- result:
--   4 | fixed | dog | cat | dog | 0.8 | 0.6
--   5 | both right | dog | dog | dog | 0.8 | 0.9
--   9 | both right | dog | dog | dog | 0.6 | 0.8
