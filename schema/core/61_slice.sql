-- Managing: slices, named parts of the media, and tags, words that people put on media.

create table core.slice (
    slice_id bigint generated always as identity,
    name text not null,
    predicate text,
    note text,
    created_at timestamptz not null default now(),
    constraint slice_pk primary key (slice_id),
    constraint slice_name_key unique (name),
    constraint slice_name_check check (name <> ''),
    constraint slice_predicate_check check (predicate <> '')
);
comment on table core.slice is
    'A named part of the media: a saved predicate on smartdb.media, which grows with the data, or a saved set, which does not.';
comment on column core.slice.slice_id is 'Identity of the slice.';
comment on column core.slice.name is 'Unique name, as shown to people.';
comment on column core.slice.predicate is
    'SQL condition over the columns of smartdb.media, read as m; null: a set, whose media are in slice_media.';
comment on column core.slice.note is 'Why it matters.';
comment on column core.slice.created_at is 'When it was saved.';

create table core.slice_media (
    slice_id bigint not null,
    media_id bigint not null,
    constraint slice_media_pk primary key (slice_id, media_id),
    constraint slice_media_slice_fk foreign key (slice_id)
        references core.slice (slice_id) on delete cascade
);
create index slice_media_media_idx on core.slice_media (media_id);
call core.refer('core.slice_media', '{{media_id, core.media, media_id}}');
call core.protect('core.slice_media');
comment on table core.slice_media is 'The media of a saved set; they change only by smartdb.add_to_slice and remove_from_slice.';
comment on column core.slice_media.slice_id is 'The set.';
comment on column core.slice_media.media_id is 'The media.';

create table core.media_tag (
    media_id bigint not null,
    tag text,
    actor_id bigint not null,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint media_tag_tag_check check (tag <> '' and length(tag) <= 200),
    constraint media_tag_erased_check check (tag is not null or rev_to is not null),
    constraint media_tag_rev_check check (rev_to > rev_from)
);
create unique index media_tag_key on core.media_tag (tag, media_id) where rev_to is null;
create index media_tag_media_idx on core.media_tag (media_id);
create index media_tag_rev_to_idx on core.media_tag (rev_to) where rev_to is not null;
call core.make_versioned('core.media_tag');
call core.protect('core.media_tag');
call core.refer('core.media_tag', '{
    {media_id, core.media, media_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.media_tag is
    'A word that somebody put on a media. Never edited: taking it off closes the row (rev_to), putting it on again opens another.';
comment on column core.media_tag.media_id is 'The media.';
comment on column core.media_tag.tag is 'The word; null once the media was erased.';
comment on column core.media_tag.actor_id is 'Who put it on.';
comment on column core.media_tag.created_at is 'When, for people; order is told by rev_from.';
comment on column core.media_tag.rev_from is 'Revision at which it was put on.';
comment on column core.media_tag.rev_to is 'Revision at which it was taken off; null while it is on.';
