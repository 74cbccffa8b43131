-- The media a run was least sure about.
create function smartdb.sample_uncertain(
    n integer, run bigint, measure text default 'entropy', predicate text default 'true'
)
returns table (media_id bigint, score double precision, reason text)
language sql stable
begin atomic
    with candidate as (
        select
            w.media_id,
            case measure
                when 'entropy' then p.entropy
                when 'margin' then 1 - p.margin
                when 'confidence' then 1 - p.confidence
            end::double precision as score
        from smartdb.media_where(predicate) as w
        join smartdb.prediction as p on p.media_id = w.media_id and p.run_id = run
    )
    select media_id, score, measure || ' ' || round(score::numeric, 3)
    from candidate
    order by score desc, media_id
    limit n;
end;
comment on function smartdb.sample_uncertain(integer, bigint, text, text) is
    'The n media that a run was least sure about, by entropy, margin or confidence.';

-- example:
--   select * from smartdb.sample_uncertain(2, 4, 'margin')
-- result:
--   11 | 0.9 | margin 0.900
--   9 | 0.8 | margin 0.800
