-- How far labelling functions reach, whether they agree, and how often gold bears them out.
create view smartdb.labelling_function_quality as
with vote as materialized (
    select v.function_id, v.media_id, f.ontology, f.class_id
    from smartdb.labelling_function_vote() as v
    join smartdb.labelling_function as f using (function_id)
),
said as (
    select v.ontology, v.media_id, count(*) as n, count(distinct v.class_id) as n_classes
    from vote as v group by v.ontology, v.media_id
),
truth as (
    select o.ontology, g.media_id, array_agg(g.class_id) as class_ids
    from smartdb.gold as g join smartdb.ontology_class as o using (class_id)
    where g.kind = 'classification'
    group by o.ontology, g.media_id
),
counted as (
    select
        v.function_id, count(*) as n_votes,
        count(*) filter (where s.n > 1) as n_overlaps,
        count(*) filter (where s.n_classes > 1) as n_conflicts,
        count(t.media_id) as n_gold,
        count(*) filter (where v.class_id = any (t.class_ids)) as n_correct
    from vote as v
    join said as s on s.ontology = v.ontology and s.media_id = v.media_id
    left join truth as t on t.ontology = v.ontology and t.media_id = v.media_id
    group by v.function_id
)
select
    f.name, f.class, coalesce(c.n_votes, 0) as n_votes,
    coalesce(c.n_votes, 0) / nullif(m.n, 0)::double precision as coverage,
    coalesce(c.n_overlaps, 0) / nullif(m.n, 0)::double precision as overlap,
    coalesce(c.n_conflicts, 0) / nullif(m.n, 0)::double precision as conflict,
    coalesce(c.n_gold, 0) as n_gold,
    c.n_correct / nullif(c.n_gold, 0)::double precision as accuracy,
    f.ontology
from smartdb.labelling_function as f
cross join (select count(*) as n from smartdb.media) as m
left join counted as c using (function_id);

comment on view smartdb.labelling_function_quality is
    'How far labelling functions reach, whether they agree, and how often gold bears them out. Asks all conditions each time.';
comment on column smartdb.labelling_function_quality.name is 'Name of the function.';
comment on column smartdb.labelling_function_quality.class is 'The class it votes for.';
comment on column smartdb.labelling_function_quality.n_votes is 'Media it votes for.';
comment on column smartdb.labelling_function_quality.coverage is 'Share of all media that it votes for.';
comment on column smartdb.labelling_function_quality.overlap is 'Share of all media that it and another function of the ontology vote for.';
comment on column smartdb.labelling_function_quality.conflict is 'Share of all media where another function votes for another class.';
comment on column smartdb.labelling_function_quality.n_gold is 'How many of its votes are on gold; 0 for annotators, who must not see it.';
comment on column smartdb.labelling_function_quality.accuracy is 'Share of these where gold has its class; null without gold.';
comment on column smartdb.labelling_function_quality.ontology is 'Ontology of the class.';

-- example:
--   select name, class, n_votes, coverage, overlap, conflict, n_gold, accuracy from
--   smartdb.labelling_function_quality order by name
-- result:
--   bright | dog | 6 | 0.5455 | 0.1818 | 0.1818 | 1 | 1
--   early | cat | 7 | 0.6364 | 0.1818 | 0.1818 | 0 | None
