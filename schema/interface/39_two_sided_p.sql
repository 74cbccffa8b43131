-- How likely a standard normal value is as far from 0 as z.
create function smartdb.two_sided_p(z double precision) returns double precision
language sql immutable parallel safe
begin atomic
    select
        t.t * (
            0.254829592 + t.t * (
                -0.284496736 + t.t * (1.421413741 + t.t * (-1.453152027 + t.t * 1.061405429))
            )
        ) * exp(-least(z ^ 2 / 2, 700))
    from (select 1 / (1 + 0.3275911 * abs(z) / sqrt(2.0)) as t) as t;
end;
comment on function smartdb.two_sided_p(double precision) is
    'Two-sided p of a standard normal value, to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26).';

-- example:
--   select smartdb.two_sided_p(1.959963984540054)
-- result:
--   0.05
