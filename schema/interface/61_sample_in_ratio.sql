-- A random sample with every stratum in a ratio: what sample_stratified and sample_balanced are made of.
-- The k-th media of a stratum, in the order of a hash, comes at (k - 1/2) / ratio: so the first n have
-- the ratio as nearly as whole media can (Webster's, or Sainte-Lague's, method), whatever n is, and
-- where a stratum has no more the others go on in their ratio. Only about as many as are taken of a
-- stratum are sorted, those with the smallest hashes; the chance that these are too few is below 1e-13.
create function smartdb.sample_in_ratio(
    n integer, seed bigint, predicate text, stratum text, ratio jsonb
)
returns table (media_id bigint, score double precision, reason text)
language plpgsql stable
set work_mem = '256MB' as $$
declare
    by_class constant text := 'select v.media_id, v.value as stratum from smartdb.class_where($1) as v';
    by_value constant text := 'select v.media_id, v.value as stratum from smartdb.value_where($5, $1) as v';
    chosen constant text := $query$
        with candidate as materialized (%1$s),
        stratum as (
            select c.stratum, count(*)::double precision as n from candidate as c
            where c.stratum is not null or $4 is null group by c.stratum
        ),
        wanted as (
            select s.stratum, s.n, case
                when $4 is null then s.n when $4 = '{}' then 1 else ($4 ->> s.stratum)::double precision
            end as ratio
            from stratum as s
        ),
        paced as (
            select w.stratum, w.n, w.ratio, w.ratio / sum(w.ratio) over () as share, (
                $2 - coalesce(sum(w.n) over (ending rows between unbounded preceding and 1 preceding), 0)
            ) / sum(w.ratio) over (ending rows between current row and unbounded following) as pace
            from wanted as w where w.ratio > 0
            window ending as (order by w.n / w.ratio, w.stratum)
        ),
        bounded as (
            select p.stratum, p.n, p.ratio, p.share, max(p.pace) over () * p.ratio + 1 as n_taken from paced as p
        ),
        few as (
            select c.media_id, b.stratum, b.share, hashint8extended(c.media_id, $3) as hash, (row_number() over (
                partition by b.stratum order by hashint8extended(c.media_id, $3), c.media_id
            ) - 0.5::double precision) / b.ratio as place
            from candidate as c
            join bounded as b on coalesce(b.stratum, '') = coalesce(c.stratum, '')
                and (b.stratum is null) = (c.stratum is null)
            where hashint8extended(c.media_id, $3) <= -9223372036854775808::double precision
                + 18446744073709551616::double precision * (b.n_taken + 8 * sqrt(b.n_taken) + 60) / b.n
        ),
        chosen as (select f.* from few as f order by f.place, f.hash, f.media_id limit $2)
        select c.media_id, c.share, '%2$s ' || coalesce(c.stratum, '%3$s') || smartdb.sample_note(count(*) over (), $2)
        from chosen as c order by c.place, c.hash, c.media_id $query$;
    part record;
begin
    for part in select r.key, r.value from jsonb_each(ratio) as r loop
        if jsonb_typeof(part.value) <> 'number' or part.value::double precision < 0 then
            raise exception 'the ratio of % cannot be %', part.key, part.value
                using errcode = 'SD002', hint = 'give each a number of 0 or more';
        elsif stratum is null and not exists (select from smartdb.ontology_tree as t where t.class = part.key) then
            raise exception 'no class %', part.key
                using errcode = 'SD001', hint = 'see: select class from smartdb.ontology_tree';
        end if;
    end loop;
    if ratio <> '{}' and not exists (select from jsonb_each(ratio) as r where r.value::double precision > 0) then
        raise exception 'all ratios are 0' using errcode = 'SD002', hint = 'give one of them more';
    end if;
    return query execute format(
        chosen, case when stratum is null then by_class else by_value end,
        case when stratum is null and ratio is not null then 'class' else 'stratum' end,
        case when stratum is null then 'unlabelled' else 'null' end)
    using predicate, smartdb.sample_size(n), seed, ratio, stratum;
end
$$;
comment on function smartdb.sample_in_ratio(integer, bigint, text, text, jsonb) is
    'What sample_stratified (ratio null: as the candidates are) and sample_balanced (ratio {}: equal) are made of. '
    'The score is the share that is wanted of the stratum.';

-- example:
--   select reason, count(*) from smartdb.sample_in_ratio(5, 7, 'true', 'm.n_bytes > 105', '{"true": 3, "false": 1}')
--   group by reason order by reason
-- result:
--   stratum false | 1
--   stratum true | 4
