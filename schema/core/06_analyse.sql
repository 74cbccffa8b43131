-- Statistics right after a bulk write: autovacuum comes a minute later, and until then the planner
-- takes a million new rows for a few.

create function core.analyse(relation regclass) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if (select c.relnamespace from pg_class as c where c.oid = relation) <> 'core'::regnamespace then
        raise exception '% is no table of core', relation
            using errcode = 'SD002', hint = 'run analyze yourself';
    end if;
    execute format('analyze %s', relation);
end
$$;
comment on function core.analyse(regclass) is
    'Brings the planner''s statistics of a table of core up to date; for pipelines, after a bulk write.';
