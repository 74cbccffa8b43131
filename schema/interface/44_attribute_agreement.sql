-- How far annotators agree on an attribute that is a number.
create function smartdb.attribute_agreement(attribute text)
returns table (ontology text, class text, n_media bigint, n_judgements bigint, mean_difference double precision, alpha double precision)
language sql stable parallel safe
begin atomic
    with said as (
        select j.ontology, j.class, j.media_id, (l.attributes ->> attribute)::double precision as x
        from smartdb.judgement as j
        join smartdb.label_history as l on l.label_id = j.label_id
        where jsonb_typeof(l.attributes -> attribute) = 'number'
    ),
    media as (
        select s.ontology, s.class, s.media_id, count(*) as m, var_samp(s.x) as variance, avg(s.x) as mean
        from said as s group by s.ontology, s.class, s.media_id having count(*) > 1
    ),
    whole as (
        select s.ontology, s.class, count(*) as n, var_samp(s.x) as variance
        from said as s join media as m using (ontology, class, media_id) group by s.ontology, s.class
    )
    select
        m.ontology, m.class, count(*), sum(m.m)::bigint, sqrt(2 * sum(m.m * m.variance) / sum(m.m)),
        1 - sum(m.m * m.variance) / sum(m.m) / nullif(min(w.variance), 0)
    from media as m join whole as w using (ontology, class)
    group by m.ontology, m.class;
end;
comment on function smartdb.attribute_agreement(text) is
    'How far annotators who gave a media the same class agree on an attribute that is a number, by class: the root mean square '
    'difference of two of them, and Krippendorff''s alpha for interval data (Krippendorff 2011); null where all say one number.';

-- example:
--   select count(*) from smartdb.attribute_agreement('age')
-- result:
--   0
