-- Cohen's kappa of every two annotators over the media that both judged.
create view smartdb.agreement as
with met as materialized (
    select c.ontology, c.actor_a, c.actor_b, c.class_a, c.class_b, c.n::double precision as n
    from smartdb.annotator_confusion as c
),
observed as (
    select ontology, actor_a, actor_b, sum(n) as n, coalesce(sum(n) filter (where class_a = class_b), 0) as n_same
    from met group by ontology, actor_a, actor_b
),
said_a as (
    select ontology, actor_a, actor_b, class_a as class, sum(n) as n
    from met group by ontology, actor_a, actor_b, class_a
),
said_b as (
    select ontology, actor_a, actor_b, class_b as class, sum(n) as n
    from met group by ontology, actor_a, actor_b, class_b
),
chance as (
    select ontology, actor_a, actor_b, sum(said_a.n * said_b.n) as product
    from said_a join said_b using (ontology, actor_a, actor_b, class) group by ontology, actor_a, actor_b
)
select
    actor_a, actor_b, o.n::bigint as n, o.n_same / o.n as agreement,
    (o.n_same / o.n - coalesce(c.product, 0) / o.n ^ 2) / nullif(1 - coalesce(c.product, 0) / o.n ^ 2, 0) as kappa,
    ontology
from observed as o
left join chance as c using (ontology, actor_a, actor_b);

comment on view smartdb.agreement is
    'Cohen''s kappa (Cohen 1960) of every two annotators over the media that both judged; null if chance alone explains all.';
comment on column smartdb.agreement.actor_a is 'One annotator.';
comment on column smartdb.agreement.actor_b is 'The other; later in the alphabet.';
comment on column smartdb.agreement.n is 'Media that both judged.';
comment on column smartdb.agreement.agreement is 'Share of them with the same class.';
comment on column smartdb.agreement.kappa is 'Agreement above chance: 1 is perfect, 0 is chance.';
comment on column smartdb.agreement.ontology is 'Whose classes.';

-- example:
--   select * from smartdb.agreement
-- result:
--   ana | folder names | 5 | 0.8 | 0.5455 | animals
