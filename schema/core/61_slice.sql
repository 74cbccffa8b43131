-- Managing: slices, named parts of the media.

create table core.slice (
    slice_id bigint generated always as identity,
    name text not null,
    predicate text not null,
    note text,
    created_at timestamptz not null default now(),
    constraint slice_pk primary key (slice_id),
    constraint slice_name_key unique (name),
    constraint slice_name_check check (name <> ''),
    constraint slice_predicate_check check (predicate <> '')
);
comment on table core.slice is 'A named part of the media: a saved predicate on smartdb.media.';
comment on column core.slice.slice_id is 'Identity of the slice.';
comment on column core.slice.name is 'Unique name, as shown to people.';
comment on column core.slice.predicate is 'SQL condition over the columns of smartdb.media, read as m.';
comment on column core.slice.note is 'Why it matters.';
comment on column core.slice.created_at is 'When it was saved.';
