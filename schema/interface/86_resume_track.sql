-- Takes back that a track ends at a frame.
create function smartdb.resume_track(frame bigint, track bigint) returns boolean
language sql
begin atomic
    with gone as (
        update core.track_end as e set rev_to = 0
        where e.media_id = frame and e.track_id = track and e.rev_to is null
        returning 1
    )
    select exists (select from gone);
end;
comment on function smartdb.resume_track(bigint, bigint) is
    'Takes back that from a frame on the thing of a track is not seen; whether that had been said.';

-- example:
--   select smartdb.resume_track(1, 5)
-- result:
--   False
