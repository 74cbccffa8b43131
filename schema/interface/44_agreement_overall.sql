-- How far all annotators agree, corrected for chance.
create view smartdb.agreement_overall as
with shared as materialized (
    select v.ontology, v.media_id, v.class_id, v.n::double precision as n, v.n_judgements::double precision as m
    from smartdb.vote as v where v.n_judgements > 1
),
media as (
    select
        ontology, count(distinct media_id) as n_media, sum(n) as n, max(m) as most,
        sum(n * (n - 1) / (m - 1)) as n_paired, sum(n * (n - 1) / (m * (m - 1))) as agreed, max(m) = min(m) as is_even
    from shared group by ontology
),
class as (
    select ontology, sum(n ^ 2) as squares, sum(n * (n - 1)) as pairs
    from (select ontology, class_id, sum(n) as n from shared group by ontology, class_id) as total
    group by ontology
)
select
    ontology, m.n_media, m.n::bigint as n_judgements, m.agreed / m.n_media as agreement,
    case when m.is_even then (m.agreed / m.n_media - c.squares / m.n ^ 2) / nullif(1 - c.squares / m.n ^ 2, 0) end
        as fleiss_kappa,
    1 - (1 - m.n_paired / m.n) / nullif(1 - c.pairs / (m.n * (m.n - 1)), 0) as alpha
from media as m
join class as c using (ontology);

comment on view smartdb.agreement_overall is
    'How far all annotators agree on the media that two or more judged. Read alpha where not all were judged by equally many.';
comment on column smartdb.agreement_overall.ontology is 'Whose classes.';
comment on column smartdb.agreement_overall.n_media is 'Media with two judgements or more.';
comment on column smartdb.agreement_overall.n_judgements is 'Judgements of these.';
comment on column smartdb.agreement_overall.agreement is 'Share of the pairs of judgements of a media that say the same, the mean over the media.';
comment on column smartdb.agreement_overall.fleiss_kappa is
    'Fleiss'' kappa (Fleiss 1971); null where media have unequal numbers of judgements, or all say one class.';
comment on column smartdb.agreement_overall.alpha is
    'Krippendorff''s alpha for nominal data (Krippendorff 2011): 1 is perfect, 0 is chance; null where all say one class.';

-- example:
--   select * from smartdb.agreement_overall
-- result:
--   animals | 5 | 10 | 0.8 | 0.5238 | 0.5714
