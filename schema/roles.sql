-- The roles of smartdb, in every database of the server. Safe to run again; needs CREATEROLE the
-- first time only. All are nologin: grant one to a login, as in: grant smartdb_reader to ada;
do $$
declare
    -- role, and the roles whose rights it has as well
    wanted constant text[][] := array[
        ['smartdb_reader', ''],                  -- reads the interface, nothing else
        ['smartdb_annotator', 'smartdb_reader'], -- and claims tasks and writes labels
        ['smartdb_reviewer', 'smartdb_reader'],  -- and writes reviews
        ['smartdb_writer', 'smartdb_reader'],    -- and runs pipelines
        ['smartdb_privacy', 'smartdb_reader'],   -- and sees restricted media
        ['smartdb_owner', 'smartdb_writer'],     -- owns every object
        ['smartdb_owner', 'smartdb_privacy']     -- so that its functions see restricted media
    ];
    wish text[];
    -- PostgreSQL 16 tells being a member from being allowed to set role
    may_set constant text :=
        case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
begin
    foreach wish slice 1 in array wanted loop
        if to_regrole(wish[1]) is null then
            execute format('create role %I nologin', wish[1]);
        end if;
        if wish[2] <> '' and not exists (
            select from pg_auth_members
            where roleid = wish[2]::regrole and member = wish[1]::regrole) then
            execute format('grant %I to %I', wish[2], wish[1]);
        end if;
    end loop;
    if not pg_has_role(current_user, 'smartdb_owner', may_set) then
        execute format('grant smartdb_owner to %I', current_user);
    end if;
end
$$;
