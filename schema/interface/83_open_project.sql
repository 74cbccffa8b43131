-- The identity of a project by name, if it is open.
create function smartdb.open_project(project text) returns bigint
language plpgsql stable as $$
declare
    found_id bigint;
    closed timestamptz;
begin
    select p.project_id, p.closed_at into found_id, closed from smartdb.project as p where p.project = open_project.project;
    if found_id is null then
        raise exception 'no project %', coalesce(project, 'null')
            using errcode = 'SD001', hint = 'see: select * from smartdb.project';
    elsif closed is not null then
        raise exception 'project % was closed on %', project, closed::date
            using errcode = 'SD002', hint = 'open it again, or claim from another';
    end if;
    return found_id;
end
$$;
comment on function smartdb.open_project(text) is
    'The project_id of a project by name. SD001 if there is none, SD002 if it is closed.';

-- example:
--   select smartdb.open_project('pets')
-- result:
--   1
