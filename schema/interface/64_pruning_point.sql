-- What prunings leave at the fractions that were measured.
create view smartdb.pruning_point as
select
    p.pruning_id, p.keep, p.n_kept, p.n_probes, p.mean_distance, p.p95_distance, p.clusters_hit,
    p.n_classes, p.smallest_class, p.class_distance, p.duplicates_dropped
from core.pruning_point as p;

comment on view smartdb.pruning_point is 'What a pruning leaves at a fraction kept: numbers to decide by.';
comment on column smartdb.pruning_point.pruning_id is 'The pruning.';
comment on column smartdb.pruning_point.keep is 'Fraction of the candidates that is kept, 0 to 1.';
comment on column smartdb.pruning_point.n_kept is 'How many that is.';
comment on column smartdb.pruning_point.n_probes is
    'Candidates whose distance to the nearest kept was measured: all, or 5,000 at random; null: without vectors.';
comment on column smartdb.pruning_point.mean_distance is
    'Mean cosine distance of the candidates to the nearest that is kept; null if none is.';
comment on column smartdb.pruning_point.p95_distance is 'The distance that 95 % of the candidates do not exceed.';
comment on column smartdb.pruning_point.clusters_hit is
    'Share of the clusters of the candidates (k-means, sqrt(n / 2) of them, at most 100) of which at least one media is kept.';
comment on column smartdb.pruning_point.n_classes is 'Classes of which at least one media is kept; null: no candidate has a class.';
comment on column smartdb.pruning_point.smallest_class is 'Kept media of the class that has the fewest, of those among the candidates.';
comment on column smartdb.pruning_point.class_distance is
    'Total variation distance of the class shares of the kept from those of the candidates, 0 to 1.';
comment on column smartdb.pruning_point.duplicates_dropped is
    'Share of the repetition in near-duplicate groups that is gone; null: the candidates have none.';

-- example:
--   select keep, n_kept, p95_distance from smartdb.pruning_point where pruning_id = 1 and keep < 1
-- result:
--   0.5 | 4 | 0.08
--   0.25 | 2 | 0.2
