-- Which classes each actor confuses more often than the others do.
create view smartdb.annotator_pattern as
with said as (
    select o.actor, o.others_say as others, o.class, count(*)::double precision as n,
        sum(count(*)) over (partition by o.actor, o.others_say)::double precision as n_own,
        sum(count(*)) over (partition by o.others_say, o.class)::double precision as n_said,
        sum(count(*)) over (partition by o.others_say)::double precision as n_all
    from smartdb.label_against_others as o
    group by o.actor, o.others_say, o.class
),
compared as (
    select s.*, s.n / s.n_own as rate, (s.n_said - s.n) / nullif(s.n_all - s.n_own, 0) as rate_of_others,
        s.n_said / s.n_all as rate_of_all
    from said as s
    where s.class <> s.others
)
select
    c.actor, c.others as others_say, c.class as actor_says, c.n::bigint as n, c.n_own::bigint as n_seen,
    c.rate, c.rate_of_others, z.z, c.n >= 5 and z.z > 3.29 as is_significant
from compared as c
cross join lateral (
    select (c.rate - c.rate_of_others) / nullif(sqrt(
        c.rate_of_all * (1 - c.rate_of_all) * (1 / c.n_own + 1 / nullif(c.n_all - c.n_own, 0))), 0) as z
) as z;

comment on view smartdb.annotator_pattern is
    'Which classes each actor confuses, and whether more often than the other actors: of the media that more than half of the '
    'others call others_say, how many the actor calls actor_says. z compares two shares (pooled).';
comment on column smartdb.annotator_pattern.actor is 'The actor.';
comment on column smartdb.annotator_pattern.others_say is 'The class by more than half of the others.';
comment on column smartdb.annotator_pattern.actor_says is 'The class that the actor gave instead.';
comment on column smartdb.annotator_pattern.n is 'How often.';
comment on column smartdb.annotator_pattern.n_seen is 'Media of that class, by the others, that the actor labelled.';
comment on column smartdb.annotator_pattern.rate is 'Share of them that the actor confused.';
comment on column smartdb.annotator_pattern.rate_of_others is 'The same share of all other actors.';
comment on column smartdb.annotator_pattern.z is 'How many standard errors the actor''s share lies above that of the others.';
comment on column smartdb.annotator_pattern.is_significant is 'Five times or more, and z above 3.29 (one in 2,000 by chance).';

-- example:
--   select actor, others_say, actor_says, n, n_seen, rate, is_significant
--   from smartdb.annotator_pattern order by actor
-- result:
--   ana | cat | dog | 1 | 4 | 0.25 | False
--   folder names | dog | cat | 1 | 2 | 0.5 | False
