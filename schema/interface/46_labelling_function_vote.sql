-- The votes of labelling functions, as they are now: each condition is asked when this is.
create function smartdb.labelling_function_vote(name text default null)
returns table (function_id bigint, function text, class text, media_id bigint)
language plpgsql stable rows 100000 as $$
declare
    f smartdb.labelling_function;
begin
    for f in
        select l.* from smartdb.labelling_function as l
        where labelling_function_vote.name is null or l.name = labelling_function_vote.name
        order by l.name
    loop
        return query
        select f.function_id, f.name, f.class, w.media_id from smartdb.media_where(f.predicate) as w;
    end loop;
    if f is null and labelling_function_vote.name is not null then
        raise exception 'no labelling function %', labelling_function_vote.name
            using errcode = 'SD001', hint = 'see: smartdb.labelling_function';
    end if;
end
$$;
comment on function smartdb.labelling_function_vote(text) is
    'The media that each labelling function, or the one of this name, votes for, with its class; runs the conditions with the '
    'rights of the caller. SD001 for an unknown name, SD002 where a condition works no longer.';

-- example:
--   select function, class, media_id from smartdb.labelling_function_vote('bright') order by
--   media_id
-- result:
--   bright | dog | 6
--   bright | dog | 7
--   bright | dog | 8
--   bright | dog | 9
--   bright | dog | 10
--   bright | dog | 11
