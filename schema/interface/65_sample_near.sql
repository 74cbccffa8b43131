-- The media nearest to a prompt, to a media or to any vector, as a sample.
create function smartdb.sample_near(
    n integer, seed bigint, predicate text default 'true', query halfvec default null,
    encoder text default null
)
returns table (media_id bigint, score double precision, reason text)
language plpgsql stable as $$
begin
    if query is null then
        raise exception 'nothing to be near to' using errcode = 'SD002',
            hint = 'give a vector, such as query => smartdb.vector_of(5, ''descriptor''), and the encoder';
    end if;
    return query
    select
        f.media_id, 1 - f.distance,
        'cosine distance ' || round(f.distance::numeric, 3) || smartdb.sample_note(count(*) over (), n)
    from smartdb.nearest(query, encoder, smartdb.sample_size(n), predicate) as f
    order by f.distance, f.media_id;
end
$$;
comment on function smartdb.sample_near(integer, bigint, text, halfvec, text) is
    'The n media nearest to a vector by cosine distance, as smartdb.nearest finds them; the score is 1 - distance. '
    'Nothing is drawn: the seed is there so that all samplers are called alike.';

-- example:
--   select * from smartdb.sample_near(2, 7, 'm.brightness > 0.1', smartdb.vector_of(1, 'tiny'), 'tiny')
-- result:
--   2 | 0.9997 | cosine distance 0.000
--   3 | 0.9988 | cosine distance 0.001
