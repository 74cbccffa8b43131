-- The 95 % Wilson interval of a share.
create function smartdb.wilson(k bigint, n bigint, out low double precision, out high double precision)
language sql immutable parallel safe
begin atomic
    select
        (k + 1.9207294103470565 - s.half) / (nullif(n, 0) + 3.841458820694113),
        (k + 1.9207294103470565 + s.half) / (nullif(n, 0) + 3.841458820694113)
    from (
        select 1.959963984540054 * sqrt(
            k * (n - k) / nullif(n, 0)::double precision + 0.9603647051735282
        ) as half
    ) as s;
end;
comment on function smartdb.wilson(bigint, bigint) is
    'The 95 % interval of the share k / n (Wilson 1927), which never leaves 0 to 1; null for n = 0.';

-- example:
--   select * from smartdb.wilson(9, 10)
-- result:
--   0.5958 | 0.9821
