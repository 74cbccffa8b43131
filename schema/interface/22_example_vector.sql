-- What to search with for more media like some and fewer like others: the mean of the wanted ones
-- less half the mean of the unwanted ones (Rocchio 1971). One vector, so it is searched like any
-- other: by the index, with a predicate. Half: see docs/how-to-search.md for what was measured.
create function smartdb.example_vector(
    more bigint[], fewer bigint[] default '{}', encoder text default null
) returns halfvec
language plpgsql stable as $$
declare
    e constant smartdb.encoder := smartdb.require_encoder(encoder);
    half constant public.halfvec := array_fill(0.5::real, array[e.dim]);
    found_ids bigint[];
    missing bigint;
    wanted public.halfvec;
    unwanted public.halfvec;
begin
    if coalesce(cardinality(more), 0) = 0 or more && fewer then
        raise exception 'examples of what to find more of must be given, and none of them as one to find fewer of'
            using errcode = 'SD002', hint = 'give ids of media: more, and fewer or none';
    end if;
    execute format(
        'select array_agg(v.media_id), public.avg(v.v) filter (where v.media_id = any ($1)),
             public.avg(v.v) filter (where v.media_id = any ($2))
         from %s as v where v.media_id = any ($1 || $2)', e.vectors)
    into found_ids, wanted, unwanted using more, coalesce(fewer, '{}');
    select i.id into missing from unnest(more || fewer) as i (id)
    where i.id is null or i.id <> all (coalesce(found_ids, '{}')) limit 1;
    if found then
        raise exception 'no vector of encoder % for media %', e.name, coalesce(missing::text, 'null')
            using errcode = 'SD001', hint = format('run: smartdb embed --encoder %s', e.name);
    end if;
    if unwanted is not null then
        wanted := wanted operator(public.-) (half operator(public.*) unwanted);
    end if;
    return public.l2_normalize(wanted);
end
$$;
comment on function smartdb.example_vector(bigint[], bigint[], text) is
    'The vector between some media and away from others, of length 1, for nearest() and search(): mean of more less half the mean '
    'of fewer. SD001 if a media has no vector, SD002 without a media to find more of, or with one in both lists.';

-- example:
--   select vector_dims(smartdb.example_vector('{1,2}', '{6}'))
-- result:
--   3
