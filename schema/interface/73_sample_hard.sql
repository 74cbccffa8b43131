-- The media that a training run found hard.
create function smartdb.sample_hard(
    n integer, seed bigint, predicate text default 'true', run bigint default null,
    measure text default 'loss'
)
returns table (media_id bigint, score double precision, reason text)
language plpgsql stable as $$
begin
    if measure is null or measure not in ('loss', 'el2n', 'forgetting') then
        raise exception 'no measure %', coalesce(measure, 'null')
            using errcode = 'SD002', hint = 'there are: loss, el2n, forgetting';
    elsif not exists (select from smartdb.training_dynamics as d where d.run_id = run) then
        raise exception 'no training run % that was watched', coalesce(run::text, 'null')
            using errcode = 'SD001', hint = 'see: select distinct run_id from smartdb.training_dynamics';
    end if;
    return query
    with chosen as (
        select w.media_id, h.score
        from smartdb.media_where(predicate) as w
        join smartdb.training_dynamics as d on d.media_id = w.media_id and d.run_id = run
        cross join lateral (
            select case measure when 'loss' then d.loss when 'el2n' then d.el2n else d.n_forgotten end::double precision
        ) as h (score)
        order by h.score desc, hashint8extended(w.media_id, seed), w.media_id
        limit smartdb.sample_size(n)
    )
    select
        c.media_id, c.score,
        measure || ' ' || round(c.score::numeric, 3) || smartdb.sample_note(count(*) over (), n)
    from chosen as c
    order by c.score desc, hashint8extended(c.media_id, seed), c.media_id;
end
$$;
comment on function smartdb.sample_hard(integer, bigint, text, bigint, text) is
    'The n train items that a training run found hardest: by loss of the model that was kept, by el2n or by forgetting '
    '(how often it was wrong after being right), as in training_dynamics; ties by seed. SD001 for a run that was not watched.';

-- example:
--   select * from smartdb.sample_hard(2, 7, run => 5, measure => 'el2n')
-- result:
--   7 | 0.7 | el2n 0.700
--   6 | 0.6 | el2n 0.600
