-- How far parts of the media are apart, as compared by smartdb drift.
create view smartdb.drift as
select
    d.run_id, r.parameters ->> 'a' as a, r.parameters ->> 'b' as b,
    d.statistic, d.measure, d.distance, d.psi, d.p, d.n_a, d.n_b, r.started_at as created_at
from core.drift as d
join core.run as r on r.run_id = d.run_id;

comment on view smartdb.drift is 'How far parts of the media are apart, statistic by statistic, as compared by smartdb drift.';
comment on column smartdb.drift.run_id is 'The run that compared.';
comment on column smartdb.drift.a is 'The reference: a version (name:3), a source, a slice or a predicate.';
comment on column smartdb.drift.b is 'What was held against it.';
comment on column smartdb.drift.statistic is 'brightness, ..., class (all), class NAME (one), or encoder NAME.';
comment on column smartdb.drift.measure is 'What distance is: ks, total_variation, share or mmd.';
comment on column smartdb.drift.distance is 'The distance: 0 is alike, 1 is no overlap.';
comment on column smartdb.drift.psi is 'Population stability index, of one class its part in it; above 0.25 is usually called large.';
comment on column smartdb.drift.p is 'How often chance alone gives this distance or more.';
comment on column smartdb.drift.n_a is 'Media of a that were compared.';
comment on column smartdb.drift.n_b is 'Media of b that were compared.';
comment on column smartdb.drift.created_at is 'When it was compared.';

-- example:
--   select a, b, statistic, distance, p from smartdb.drift order by distance desc
-- result:
--   pets:1 | pets:2 | brightness | 0.2222 | 0.98
--   pets:1 | pets:2 | class | 0.1111 | 0.6
