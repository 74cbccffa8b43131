-- Managing: exports of dataset versions to files, and in which file of them each media lies.

create table core.export (
    export_id bigint generated always as identity,
    dataset_id bigint not null,
    version integer not null,
    format text not null,
    uri text not null,
    parameters jsonb not null default '{}',
    purpose text,
    state text not null default 'unfinished',
    n_items bigint not null,
    n_files bigint,
    n_bytes bigint,
    manifest_sha256 bytea,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    constraint export_pk primary key (export_id),
    constraint export_state_check check (state in ('unfinished', 'complete', 'gone')),
    constraint export_complete_check check (
        state <> 'complete' or num_nulls(n_files, n_bytes, manifest_sha256, finished_at) = 0),
    constraint export_manifest_check check (octet_length(manifest_sha256) = 32),
    constraint export_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict,
    constraint export_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
create index export_version_idx on core.export (dataset_id, version);
create index export_run_idx on core.export (run_id);
create unique index export_uri_key on core.export (uri) where state <> 'gone';
comment on table core.export is 'A dataset version written to files: to where, in which format, with the digest of its manifest.';
comment on column core.export.export_id is 'Identity of the export.';
comment on column core.export.dataset_id is 'The dataset.';
comment on column core.export.version is 'Its version.';
comment on column core.export.format is 'coco, yolo, webdataset, parquet, ...: a name of smartdb.layouts.';
comment on column core.export.uri is 'The folder, or the place in a store, that holds it.';
comment on column core.export.parameters is 'What else decides its bytes: pictures, names, seed, size of shards, origins.';
comment on column core.export.purpose is 'The use it is meant for; its media allowed it when it was begun. Null: not declared.';
comment on column core.export.state is
    'unfinished (it was cut off, or is being written), complete (its manifest is there), gone (it was, and is no longer).';
comment on column core.export.n_items is 'Media that go into it.';
comment on column core.export.n_files is 'Files in it, without the manifest.';
comment on column core.export.n_bytes is 'Their bytes.';
comment on column core.export.manifest_sha256 is 'SHA-256 of manifest.json.';
comment on column core.export.run_id is 'The run that wrote it (last).';
comment on column core.export.created_at is 'When it was begun.';
comment on column core.export.finished_at is 'When its manifest was written.';

create table core.export_part (
    export_id bigint not null,
    part integer not null,
    media_ids bigint[] not null,
    paths text[] not null,
    constraint export_part_pk primary key (export_id, part),
    constraint export_part_paths_check check (cardinality(paths) in (1, cardinality(media_ids))),
    constraint export_part_export_fk foreign key (export_id)
        references core.export (export_id) on delete restrict
);
comment on table core.export_part is
    'A part of an export: a shard with its media, or some pictures, each a file. A row for each would be many times as long.';
comment on column core.export_part.export_id is 'The export.';
comment on column core.export_part.part is 'Number of the part, from 0.';
comment on column core.export_part.media_ids is 'The media in it.';
comment on column core.export_part.paths is 'The file of each of them below the export''s uri, or the one file of all.';

create function core.export_holding(media bigint[])
returns table (export_id bigint, n bigint, paths text[])
language sql stable security definer
begin atomic
    select e.export_id, count(distinct h.media_id), (array_agg(distinct h.path order by h.path))[:100]
    from core.export as e
    join core.export_part as p on p.export_id = e.export_id and p.media_ids && media
    cross join lateral (
        select u.media_id, coalesce(p.paths[u.place], p.paths[1]) as path
        from unnest(p.media_ids) with ordinality as u (media_id, place)
        where u.media_id = any (media)
    ) as h
    where e.state <> 'gone'
    group by e.export_id;
end;
comment on function core.export_holding(bigint[]) is
    'The exports that hold any of these media, how many of them, and the first hundred files that they lie in.';
