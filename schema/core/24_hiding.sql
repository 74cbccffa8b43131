-- Hiding: media with an open finding of a kind that one of their sources forbids. Triggers write the
-- restriction in the transaction of the finding, so no writer can forget it; only the privacy
-- officer takes it back. A frame that is hidden hides its video, which shows the same.

create function core.forbidden(media_ids bigint[])
returns table (finding_id bigint, media_id bigint)
language sql stable
begin atomic
    select f.finding_id, f.media_id
    from core.finding as f
    where
        f.media_id = any (media_ids) and f.resolution is null
        and exists (
            select from core.media_location as l join core.source as s using (source_id)
            where l.media_id = f.media_id and f.kind = any (s.forbidden_finding)
        );
end;
comment on function core.forbidden(bigint[]) is
    'The open findings of these media that one of their sources forbids; restricted media only for who may see them.';

create function core.hide_found(media_ids bigint[]) returns void
language sql
begin atomic
    insert into core.restriction (media_id, reason)
    select f.media_id, 'finding' from core.forbidden(media_ids) as f
    union
    select m.parent_media_id, 'finding'
    from core.forbidden(media_ids) as f join core.media as m using (media_id)
    where m.kind = 'frame'
    order by 1
    on conflict do nothing;
end;
comment on function core.hide_found(bigint[]) is
    'Hides those of the media, and the videos of those frames, that have a forbidden finding.';

create function core.show_found(media_ids bigint[]) returns bigint
language sql
begin atomic
    with near as (  -- the media, the videos they are frames of, and the frames of those
        select m.media_id from unnest(media_ids) as m (media_id)
        union
        select m.parent_media_id from core.media as m
        where m.media_id = any (media_ids) and m.kind = 'frame'
    ),
    found as (
        select f.media_id from core.forbidden(array(select n.media_id from near as n)) as f
        union
        select m.parent_media_id
        from core.forbidden(array(
            select k.media_id from core.media as k join near as n on k.parent_media_id = n.media_id
            where k.kind = 'frame'
        )) as f
        join core.media as m using (media_id)
    ),
    shown as (
        delete from core.restriction as r
        where
            r.reason = 'finding'
            and r.media_id in (select n.media_id from near as n)
            and r.media_id not in (select f.media_id from found as f)
        returning r.media_id
    )
    select count(*) from shown;
end;
comment on function core.show_found(bigint[]) is
    'Lifts the restriction of those of the media (and of their videos) without a forbidden finding; returns how many.';

-- A finding or a place that is being written and a policy that is being changed do not see each
-- other, so a change of policy waits for writers in flight, and they for it.
create function core.hide_written() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform pg_advisory_xact_lock_shared(7360406);
    if exists (select from core.source as s where s.forbidden_finding <> '{}') then
        perform core.hide_found(array(select distinct c.media_id from changed as c));
    end if;
    return null;
end
$$;
comment on function core.hide_written() is
    'Statement trigger of findings and locations: hides the media of the rows that have a forbidden finding.';

create trigger hide_on_insert after insert on core.finding referencing new table as changed
for each statement execute function core.hide_written();
create trigger hide_on_update after update on core.finding referencing new table as changed
for each statement execute function core.hide_written();
create trigger hide_on_insert after insert on core.media_location referencing new table as changed
for each statement execute function core.hide_written();

create function core.hide_moved() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform pg_advisory_xact_lock_shared(7360406);
    perform core.hide_found(array[new.media_id]);
    return null;
end
$$;
comment on function core.hide_moved() is
    'Row trigger of locations: hides what lies there now, if it has a finding that is forbidden there.';

create trigger hide_moved after update of media_id on core.media_location
for each row when (old.media_id <> new.media_id) execute function core.hide_moved();

create function core.hide_by_policy() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    held bigint[];
begin
    perform pg_advisory_xact_lock(7360406);
    held := array(
        select l.media_id from core.media_location as l
        where l.source_id = new.source_id
            and (
                l.media_id in (select f.media_id from core.finding as f where f.resolution is null)
                or l.media_id in (select r.media_id from core.restriction as r where r.reason = 'finding')
            )
    );
    perform core.hide_found(held), core.show_found(held);
    return null;
end
$$;
comment on function core.hide_by_policy() is
    'Row trigger of sources: a new policy hides the media that it forbids, and shows those that it no longer does.';

create trigger hide_by_policy after update of forbidden_finding on core.source
for each row when (old.forbidden_finding is distinct from new.forbidden_finding)
execute function core.hide_by_policy();

create table core.detector (
    detector_id bigint generated always as identity,
    name text not null,
    version text not null,
    parameters jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint detector_pk primary key (detector_id),
    constraint detector_key unique (name, version, parameters),
    constraint detector_name_check check (name <> '')
);
call core.make_permanent('core.detector', 'detector_id');
comment on table core.detector is 'What looks for faces, plates and the like in pixels: a plug-in, in one version with its parameters.';
comment on column core.detector.detector_id is 'Identity of the detector.';
comment on column core.detector.name is 'What one calls it by, for instance haar:frontalface.';
comment on column core.detector.version is 'Version of the library, and a digest of the weights.';
comment on column core.detector.parameters is 'What it was set to.';
comment on column core.detector.created_at is 'When it first ran.';

create table core.detector_media (
    detector_id bigint not null,
    media_id bigint not null,
    run_id bigint not null,
    problem text,
    constraint detector_media_pk primary key (detector_id, media_id)
);
call core.refer('core.detector_media', '{
    {detector_id, core.detector, detector_id},
    {media_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
comment on table core.detector_media is
    'Media that a detector has looked at, also where it found nothing, so that it does not look again.';
comment on column core.detector_media.detector_id is 'The detector.';
comment on column core.detector_media.media_id is 'The media.';
comment on column core.detector_media.run_id is 'The run in which it did.';
comment on column core.detector_media.problem is 'Why it could not look, for instance a file that is gone; then it looks again.';
