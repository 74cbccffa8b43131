-- What a pruning leaves at each fraction kept.
create function smartdb.pruning_curve(pruning_id bigint)
returns table (
    keep double precision, n_kept integer, mean_distance real, p95_distance real, clusters_hit real,
    n_classes integer, smallest_class integer, class_distance real, duplicates_dropped real, n_probes integer
)
language sql stable
begin atomic
    select
        p.keep, p.n_kept, p.mean_distance, p.p95_distance, p.clusters_hit, p.n_classes,
        p.smallest_class, p.class_distance, p.duplicates_dropped, p.n_probes
    from smartdb.pruning_point as p
    where p.pruning_id = pruning_curve.pruning_id
    order by p.keep desc;
end;
comment on function smartdb.pruning_curve(bigint) is
    'What a pruning leaves at each fraction that was measured, from all to few: distances of the candidates to the nearest '
    'kept (mean, 95th percentile), share of their clusters hit, classes left, the smallest class, how far class shares '
    'moved, share of near-duplicates dropped. The columns are those of pruning_point.';

-- example:
--   select keep, n_kept, mean_distance, clusters_hit, n_classes from smartdb.pruning_curve(1)
-- result:
--   1 | 8 | 0 | 1 | 2
--   0.5 | 4 | 0.021 | 1 | 2
--   0.25 | 2 | 0.07 | 1 | 2
