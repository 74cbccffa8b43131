-- The media a run was least sure about.
create function smartdb.sample_uncertain(
    n integer, seed bigint, predicate text default 'true', run bigint default null,
    measure text default 'entropy'
)
returns table (media_id bigint, score double precision, reason text)
language plpgsql stable as $$
begin
    if measure is null or measure not in ('entropy', 'margin', 'confidence') then
        raise exception 'no measure %', coalesce(measure, 'null')
            using errcode = 'SD002', hint = 'there are: entropy, margin, confidence';
    elsif not exists (select from smartdb.prediction as p where p.run_id = run) then
        raise exception 'no run % with predictions', coalesce(run::text, 'null')
            using errcode = 'SD001', hint = 'see: select run_id from smartdb.training_run';
    end if;
    return query
    with chosen as (
        select w.media_id, u.score
        from smartdb.media_where(predicate) as w
        join smartdb.prediction as p on p.media_id = w.media_id and p.run_id = run
        cross join lateral (
            select case measure
                when 'entropy' then p.entropy when 'margin' then 1 - p.margin else 1 - p.confidence
            end::double precision
        ) as u (score)
        order by u.score desc, hashint8extended(w.media_id, seed), w.media_id
        limit smartdb.sample_size(n)
    )
    select
        c.media_id, c.score,
        measure || ' ' || round(c.score::numeric, 3) || smartdb.sample_note(count(*) over (), n)
    from chosen as c
    order by c.score desc, hashint8extended(c.media_id, seed), c.media_id;
end
$$;
comment on function smartdb.sample_uncertain(integer, bigint, text, bigint, text) is
    'The n media that a run was least sure about: by entropy, margin (1 - the difference of the two largest '
    'probabilities) or confidence (1 - the largest); ties by seed. SD001 for a run without predictions.';

-- example:
--   select * from smartdb.sample_uncertain(2, 7, run => 4, measure => 'margin')
-- result:
--   11 | 0.9 | margin 0.900
--   9 | 0.8 | margin 0.800
