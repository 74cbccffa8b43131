-- Forgets a labelling function; what it helped to label is closed by the next run.
create function smartdb.drop_labelling_function(name text) returns void
language plpgsql as $$
begin
    delete from core.labelling_function as f where f.name = drop_labelling_function.name;
    if not found then
        raise exception 'no labelling function %', drop_labelling_function.name
            using errcode = 'SD001', hint = 'see: smartdb.labelling_function';
    end if;
end
$$;
comment on function smartdb.drop_labelling_function(text) is
    'Forgets a labelling function. Labels that it helped to write stay until smartdb autolabel runs again. SD001 if there is none.';

-- example:
--   select smartdb.drop_labelling_function('bright')::text = ''
-- result:
--   True
