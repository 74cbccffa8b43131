-- An interval for a share of which k of n were seen: that of Clopper and Pearson (Biometrika 1934).
create function smartdb.exact_interval(k bigint, n bigint, confidence double precision default 0.95)
returns table (low double precision, high double precision)
language plpgsql immutable parallel safe rows 1 as $$
declare
    tail constant double precision := (1 - confidence) / 2;
    below double precision;
    above double precision;
    middle double precision;
begin
    if k < 0 or n < k or not (confidence > 0 and confidence < 1) then
        raise exception '% of % at confidence %', k, n, confidence
            using errcode = 'SD002', hint = 'k of n, 0 <= k <= n, at a confidence between 0 and 1, such as 0.95';
    end if;
    low := case when n > 0 then 0 end;
    high := case when n > 0 then 1 end;
    if k > 0 then
        below := 0; above := 1;
        for i in 1..60 loop
            middle := (below + above) / 2;
            if smartdb.beta_below(middle, k, n - k + 1) < tail then below := middle; else above := middle; end if;
            exit when above - below < 1e-13;
        end loop;
        low := (below + above) / 2;
    end if;
    if k < n then
        below := 0; above := 1;
        for i in 1..60 loop
            middle := (below + above) / 2;
            if smartdb.beta_below(middle, k + 1, n - k) < 1 - tail then below := middle; else above := middle; end if;
            exit when above - below < 1e-13;
        end loop;
        high := (below + above) / 2;
    end if;
    return next;
end
$$;
comment on function smartdb.exact_interval(bigint, bigint, double precision) is
    'The exact (Clopper-Pearson) interval for the probability of what was seen k times of n; it holds the truth at least as '
    'often as confidence says. Nulls for n = 0. SD002 unless 0 <= k <= n.';

-- example:
--   select * from smartdb.exact_interval(3, 100)
-- result:
--   0.00623 | 0.08518
