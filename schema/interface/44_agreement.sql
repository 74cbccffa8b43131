-- Cohen's kappa of every two actors over the media that both labelled with one class.
create view smartdb.agreement as
with said as (
    select l.actor, l.media_id, min(l.class_id) as class_id
    from smartdb.label as l where l.kind = 'classification' and l.origin <> 'model'
    group by l.actor, l.media_id having count(*) = 1
),
pair as (
    select a.actor as actor_a, b.actor as actor_b, a.class_id as class_a, b.class_id as class_b
    from said as a join said as b on a.media_id = b.media_id and a.actor < b.actor
),
observed as (
    select actor_a, actor_b, count(*) as n, avg((class_a = class_b)::integer) as agreed
    from pair group by actor_a, actor_b
),
share_a as (
    select actor_a, actor_b, class_a as class_id, count(*)::double precision as n
    from pair group by actor_a, actor_b, class_a
),
share_b as (
    select actor_a, actor_b, class_b as class_id, count(*)::double precision as n
    from pair group by actor_a, actor_b, class_b
),
chance as (
    select actor_a, actor_b, sum(share_a.n * share_b.n) as product
    from share_a join share_b using (actor_a, actor_b, class_id) group by actor_a, actor_b
)
select
    actor_a, actor_b, o.n, o.agreed::double precision as agreement,
    (o.agreed - coalesce(c.product, 0) / o.n ^ 2) / nullif(1 - coalesce(c.product, 0) / o.n ^ 2, 0) as kappa
from observed as o
left join chance as c using (actor_a, actor_b);

comment on view smartdb.agreement is
    'Cohen''s kappa (Cohen 1960) of every two actors over the media that both gave exactly one class; null if chance alone explains all.';
comment on column smartdb.agreement.actor_a is 'One actor.';
comment on column smartdb.agreement.actor_b is 'The other; later in the alphabet.';
comment on column smartdb.agreement.n is 'Media that both labelled.';
comment on column smartdb.agreement.agreement is 'Share of them with the same class.';
comment on column smartdb.agreement.kappa is 'Agreement above chance: 1 is perfect, 0 is chance.';

-- example:
--   select * from smartdb.agreement
-- result:
--   ana | folder names | 5 | 0.8 | 0.5455
