-- The privacy officer's word on a finding: it may stay, nothing is there, or it is open after all.
create function smartdb.resolve_finding(finding bigint, resolution text, note text default null)
returns boolean
language plpgsql volatile as $$
declare
    f core.finding;
begin
    if resolution is null or resolution not in ('accepted', 'false', 'open') then
        raise exception 'no such resolution: %', coalesce(resolution, 'null')
            using errcode = 'SD002', hint = 'say accepted, false or open; smartdb sanitise removes what is found';
    end if;
    perform pg_advisory_xact_lock_shared(7360406);
    select k.* into f from core.finding as k where k.finding_id = finding for update;
    if not found then
        raise exception 'no finding %', finding
            using errcode = 'SD001', hint = 'see: select * from smartdb.finding_open';
    elsif f.resolution = 'removed' then
        raise exception 'finding % was removed by a clean copy, media %', finding, f.detail ->> 'derivative'
            using errcode = 'SD003', hint = 'the original stays hidden: what was found is still in it';
    end if;
    update core.finding as k
    set resolution = nullif(resolve_finding.resolution, 'open'),
        detail = case when note is null then k.detail else k.detail || jsonb_build_object('note', note) end
    where k.finding_id = finding;
    perform core.show_found(array[f.media_id]);
    return not exists (select from core.restriction as r where r.media_id = f.media_id);
end
$$;
comment on function smartdb.resolve_finding(bigint, text, text) is
    'Settles a finding as accepted (may stay) or false (nothing there), or opens it again, and returns whether everybody sees its '
    'media now: hidden for a finding, it is seen again when none is left that its sources forbid. For smartdb_privacy. '
    'SD001 no such finding, SD002 bad resolution, SD003 it was removed by a clean copy.';

-- example:
--   select smartdb.resolve_finding(2, 'accepted', 'a public place')
-- result:
--   True
