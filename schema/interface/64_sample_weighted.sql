-- A random sample in which each media is as likely as its weight says: those with the largest
-- u ^ (1 / weight), u uniform by a hash (Efraimidis and Spirakis 2006), compared by their logarithms.
create function smartdb.sample_weighted(
    n integer, seed bigint, predicate text default 'true', weight text default null
)
returns table (media_id bigint, score double precision, reason text)
language plpgsql stable
set work_mem = '256MB' as $$
declare
    one record;
    is_empty boolean := true;
begin
    if weight is null then
        raise exception 'no weight' using errcode = 'SD002',
            hint = 'give an expression on smartdb.media, such as weight => ''m.sharpness''';
    end if;
    for one in
        with weighted as materialized (
            select v.media_id, v.value::double precision as heavy
            from smartdb.value_where(format(E'(%s\n)::double precision', weight), predicate) as v
        ),
        keyed as (
            select w.media_id, w.heavy, case when w.heavy > 0 and w.heavy < 'infinity' then
                ln(-ln(((hashint8extended(w.media_id, seed) >> 12 & 4503599627370495) + 0.5::double precision)
                    / 4503599627370496)) - ln(w.heavy)
            end as key
            from weighted as w where w.heavy is distinct from 0
        ),
        chosen as (
            select k.media_id, k.heavy, k.key from keyed as k
            order by k.key nulls first, k.media_id limit smartdb.sample_size(n)
        )
        select c.media_id, c.heavy, c.key, count(*) over () as taken from chosen as c
        order by c.key nulls first, c.media_id
    loop
        if one.key is null then
            raise exception 'the weight of media % is %', one.media_id, coalesce(one.heavy::text, 'null')
                using errcode = 'SD002', hint = 'weights are finite numbers of 0 or more; see coalesce and greatest';
        end if;
        media_id := one.media_id;
        score := one.heavy;
        reason := 'weight ' || round(one.heavy::numeric, 3) || smartdb.sample_note(one.taken, n);
        is_empty := false;
        return next;
    end loop;
    if is_empty and exists (select from smartdb.media_where(predicate)) then
        raise exception 'all weights are 0' using errcode = 'SD002', hint = 'give some candidates more';
    end if;
end
$$;
comment on function smartdb.sample_weighted(integer, bigint, text, text) is
    'n media at random, each as likely as its weight, an expression on smartdb.media, read as m; same seed, same media. '
    'A weight of 0 is never chosen. SD002 for weights that are negative, null, NaN or infinite, or all 0.';

-- example:
--   select * from smartdb.sample_weighted(3, 7, weight => 'm.sharpness')
-- result:
--   3 | 30 | weight 30.000
--   11 | 110 | weight 110.000
--   9 | 90 | weight 90.000
