-- What changed from run a to run b on the media both predicted, both judged against b's truth.
create function smartdb.regression(run_a bigint, run_b bigint, split text default 'test')
returns table (
    media_id bigint, change text, class text, predicted_a text, predicted_b text,
    confidence_a real, confidence_b real
)
language sql stable
begin atomic
    select
        b.media_id,
        case
            when a.predicted_class = b.class and b.predicted_class = b.class then 'both right'
            when b.predicted_class = b.class then 'fixed'
            when a.predicted_class = b.class then 'broken'
            else 'both wrong'
        end,
        b.class, a.predicted_class, b.predicted_class, a.confidence, b.confidence
    from smartdb.prediction as b
    join smartdb.prediction as a on a.media_id = b.media_id and a.run_id = run_a
    where b.run_id = run_b and b.split = regression.split and b.class is not null;
end;
comment on function smartdb.regression(bigint, bigint, text) is
    'Each media of a split of run b that both runs predicted: fixed, broken, both right or both wrong, judged against the labels of run b.';

-- example:
--   select * from smartdb.regression(4, 5) order by media_id
-- result:
--   4 | fixed | dog | cat | dog | 0.8 | 0.6
--   5 | both right | dog | dog | dog | 0.8 | 0.9
--   9 | both right | dog | dog | dog | 0.6 | 0.8
