-- The slices on which a run does worse than chance fluctuation explains.
create function smartdb.worst_slice(run bigint, split text default 'test', min_n integer default 20)
returns table (
    facet text, slice text, n bigint, n_wrong bigint, accuracy double precision,
    difference double precision, z double precision
)
language sql stable
begin atomic
    select s.facet, s.slice, s.n, s.n_wrong, s.accuracy, s.difference, s.z
    from smartdb.slice_metric(run, split) as s
    where s.n >= min_n and s.z < 0
    order by s.z, s.facet, s.slice;
end;
comment on function smartdb.worst_slice(bigint, text, integer) is
    'Slices of at least min_n media on which a run does worse than on the whole, worst first by z. '
    'Many slices are looked at: believe a z below about -3.';

-- example:
--   select facet, slice, n, n_wrong, accuracy, z from smartdb.worst_slice(5, min_n => 1) limit 2
-- result:
--   brightness | quarter 4 | 1 | 1 | 0 | -1.732
--   entropy | quarter 4 | 1 | 1 | 0 | -1.732
