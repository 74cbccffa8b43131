-- Annotating: where a tracked thing leaves the picture, so that nothing is interpolated after it.

create table core.track_end (
    track_end_id bigint generated always as identity,
    media_id bigint not null,
    track_id bigint,
    actor_id bigint not null,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint track_end_pk primary key (track_end_id),
    constraint track_end_erased_check check (track_id is not null or rev_to is not null),
    constraint track_end_rev_check check (rev_to > rev_from)
);
create unique index track_end_key on core.track_end (media_id, track_id) where rev_to is null;
call core.make_versioned('core.track_end');
call core.protect('core.track_end');
call core.refer('core.track_end', '{
    {media_id, core.media, media_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.track_end is
    'From this frame on the thing of a track is not seen, until the next label of the track. Never edited: taking it back closes '
    'the row (rev_to).';
comment on column core.track_end.track_end_id is 'Identity of the row.';
comment on column core.track_end.media_id is 'The first frame without it.';
comment on column core.track_end.track_id is 'The track; null once the media was erased.';
comment on column core.track_end.actor_id is 'Who said so.';
comment on column core.track_end.created_at is 'When, for people; order is told by rev_from.';
comment on column core.track_end.rev_from is 'Revision at which it was said.';
comment on column core.track_end.rev_to is 'Revision at which it was taken back; null while it holds.';
