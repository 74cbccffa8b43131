-- Run a against run b on the same media and the same truth, with McNemar's test.
create function smartdb.run_comparison(run_a bigint, run_b bigint, split text default 'test')
returns table (
    n bigint, accuracy_a double precision, accuracy_b double precision,
    n_fixed bigint, n_broken bigint, chi_squared double precision
)
language sql stable parallel safe
begin atomic
    with counted as (
        select
            count(*) as n,
            count(*) filter (where r.change in ('broken', 'both right')) as n_right_a,
            count(*) filter (where r.change in ('fixed', 'both right')) as n_right_b,
            count(*) filter (where r.change = 'fixed') as n_fixed,
            count(*) filter (where r.change = 'broken') as n_broken
        from smartdb.regression(run_a, run_b, split) as r
    )
    select
        c.n, c.n_right_a / nullif(c.n, 0)::double precision, c.n_right_b / nullif(c.n, 0)::double precision,
        c.n_fixed, c.n_broken,
        greatest(abs(c.n_fixed - c.n_broken) - 1, 0) ^ 2
        / nullif(c.n_fixed + c.n_broken, 0)::double precision
    from counted as c;
end;
comment on function smartdb.run_comparison(bigint, bigint, text) is
    'Run a against run b on the same media and the labels of run b; chi_squared is McNemar''s statistic with continuity '
    'correction (1 degree of freedom: above 3.84 is significant at 5 %).';

-- example:
--   select * from smartdb.run_comparison(4, 5)
-- result:
--   3 | 0.6667 | 1 | 1 | 0 | 0
