-- How far annotators agree on what was judged in each week.
create view smartdb.agreement_over_time as
with counted as (
    select j.ontology_id, j.media_id, j.class_id, count(*)::double precision as n, max(j.said_at) as last_at
    from smartdb.judgement as j group by j.ontology_id, j.media_id, j.class_id
),
shared as materialized (
    select
        o.name as ontology, date_trunc('week', (max(v.last_at) over media) at time zone 'UTC')::date as week,
        v.media_id, v.class_id, v.n, sum(v.n) over media as m
    from counted as v
    join core.ontology as o on o.ontology_id = v.ontology_id
    window media as (partition by v.media_id, v.ontology_id)
),
media as (
    select
        ontology, week, count(distinct media_id) as n_media, sum(n) as n,
        sum(n * (n - 1) / (m - 1)) as n_paired, sum(n * (n - 1) / (m * (m - 1))) as agreed
    from shared where m > 1 group by ontology, week
),
class as (
    select ontology, week, sum(n * (n - 1)) as pairs
    from (select ontology, week, class_id, sum(n) as n from shared where m > 1 group by ontology, week, class_id) as total
    group by ontology, week
)
select
    ontology, week, m.n_media, m.n::bigint as n_judgements, m.agreed / m.n_media as agreement,
    1 - (1 - m.n_paired / m.n) / nullif(1 - c.pairs / (m.n * (m.n - 1)), 0) as alpha
from media as m
join class as c using (ontology, week);

comment on view smartdb.agreement_over_time is 'How far annotators agree, by the week in which a media was judged last.';
comment on column smartdb.agreement_over_time.ontology is 'Whose classes.';
comment on column smartdb.agreement_over_time.week is 'Monday of the week, UTC.';
comment on column smartdb.agreement_over_time.n_media is 'Media judged last in it, by two annotators or more.';
comment on column smartdb.agreement_over_time.n_judgements is 'Judgements of these.';
comment on column smartdb.agreement_over_time.agreement is 'Share of the pairs of judgements of a media that say the same, the mean over the media.';
comment on column smartdb.agreement_over_time.alpha is 'Krippendorff''s alpha for nominal data of these alone; null where all say one class.';

-- example:
--   select ontology, n_media, n_judgements, agreement, alpha from smartdb.agreement_over_time
-- result:
--   animals | 5 | 10 | 0.8 | 0.5714
