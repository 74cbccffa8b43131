-- The regularised incomplete beta function, by Lentz's continued fraction (Press et al., Numerical
-- Recipes, 6.4) and Stirling's series; what exact_interval inverts. scipy: special.betainc(a, b, x).
create function smartdb.beta_below(x double precision, a double precision, b double precision)
returns double precision
language plpgsql immutable parallel safe as $$
declare
    tiny constant double precision := 1e-290;
    flipped constant boolean := x > (a + 1) / (a + b + 2);
    p constant double precision := case when flipped then b else a end;
    q constant double precision := case when flipped then a else b end;
    y constant double precision := case when flipped then 1 - x else x end;
    front double precision := 0;
    c double precision := 1;
    d double precision;
    h double precision;
    e double precision;
    z double precision;
    shift double precision;
    s integer;
begin
    if x <= 0 or x >= 1 then
        return case when x <= 0 then 0 else 1 end;
    end if;
    for s in 1..3 loop -- ln gamma of a + b, a, b
        z := case s when 1 then a + b when 2 then a else b end;
        shift := 0;
        while z < 12 loop
            shift := shift + ln(z);
            z := z + 1;
        end loop;
        e := (z - 0.5) * ln(z) - z + 0.918938533204672742 + 1 / (12 * z) - 1 / (360 * z ^ 3)
            + 1 / (1260 * z ^ 5) - 1 / (1680 * z ^ 7) - shift;
        front := front + case s when 1 then e else -e end;
    end loop;
    front := front + p * ln(y) + q * ln(case when flipped then x else 1 - x end);
    if front < -700 then
        return case when flipped then 1 else 0 end;
    end if;
    d := 1 - (p + q) * y / (p + 1);
    d := 1 / case when abs(d) < tiny then tiny else d end;
    h := d;
    for m in 1..10000 loop
        e := m * (q - m) * y / ((p + 2 * m - 1) * (p + 2 * m));
        d := 1 + e * d;
        d := 1 / case when abs(d) < tiny then tiny else d end;
        c := 1 + e / c;
        c := case when abs(c) < tiny then tiny else c end;
        h := h * d * c;
        e := -(p + m) * (p + q + m) * y / ((p + 2 * m) * (p + 2 * m + 1));
        d := 1 + e * d;
        d := 1 / case when abs(d) < tiny then tiny else d end;
        c := 1 + e / c;
        c := case when abs(c) < tiny then tiny else c end;
        h := h * d * c;
        exit when abs(d * c - 1) < 1e-15;
    end loop;
    h := exp(front) * h / p;
    return case when flipped then 1 - h else h end;
end
$$;
comment on function smartdb.beta_below(double precision, double precision, double precision) is
    'Probability that a beta-distributed value with parameters a and b (both > 0) lies below x; the regularised incomplete beta '
    'function, to about 1e-12.';

-- example:
--   select round(smartdb.beta_below(0.5, 2, 3)::numeric, 6)
-- result:
--   0.687500
