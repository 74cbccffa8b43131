-- How far annotators agree on each class, against all the others.
create view smartdb.agreement_by_class as
with shared as materialized (
    select v.ontology, v.class, v.n::double precision as n, v.n_judgements::double precision as m, v.media_id
    from smartdb.vote as v where v.n_judgements > 1
),
whole as (
    select ontology, sum(n) as n from shared group by ontology
),
class as (
    select
        ontology, class, count(*) as n_media, sum(n) as n,
        sum(n * (n - 1) / (m - 1)) as n_paired, sum(n * (m - n) / (m - 1)) as n_parted
    from shared group by ontology, class
)
select
    ontology, class, c.n_media, c.n::bigint as n_judgements, c.n_paired / c.n as agreement,
    1 - (2 * c.n_parted / w.n) / nullif(2 * c.n * (w.n - c.n) / (w.n * (w.n - 1)), 0) as alpha
from class as c
join whole as w using (ontology);

comment on view smartdb.agreement_by_class is 'How far annotators agree on each class, over the media that two or more judged.';
comment on column smartdb.agreement_by_class.ontology is 'Whose class.';
comment on column smartdb.agreement_by_class.class is 'Name of the class.';
comment on column smartdb.agreement_by_class.n_media is 'Media that at least one annotator gave it.';
comment on column smartdb.agreement_by_class.n_judgements is 'Judgements that say it.';
comment on column smartdb.agreement_by_class.agreement is
    'When one annotator says it, how often another does (specific agreement, Fleiss 1981).';
comment on column smartdb.agreement_by_class.alpha is
    'Krippendorff''s alpha of this class against all others: 1 is perfect, 0 is chance; null where all say it.';

-- example:
--   select * from smartdb.agreement_by_class order by class
-- result:
--   animals | cat | 4 | 7 | 0.8571 | 0.5714
--   animals | dog | 2 | 3 | 0.6667 | 0.5714
