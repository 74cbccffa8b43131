-- Exports of dataset versions, and whether they hold what may not be held any more.
create view smartdb.export as
select
    e.export_id, d.name as dataset, e.version, e.format, e.uri, e.state, e.n_items, e.n_files, e.n_bytes,
    encode(e.manifest_sha256, 'hex') as manifest_sha256, e.purpose, e.parameters,
    h.n_erased, h.n_restricted, e.state <> 'gone' and h.n_erased + h.n_restricted > 0 as is_stale,
    e.run_id, e.created_at, e.finished_at
from core.export as e
join core.dataset as d using (dataset_id)
cross join lateral (
    select
        count(*) filter (where r.reason = 'erased') as n_erased,
        count(*) filter (where r.reason <> 'erased') as n_restricted
    from (
        select u.media_id, min(x.reason) filter (where x.reason = 'erased') as erased, min(x.reason) as other
        from core.export_part as p
        cross join lateral unnest(p.media_ids) as u (media_id)
        join core.restriction as x on x.media_id = u.media_id
        where p.export_id = e.export_id
        group by u.media_id
    ) as f
    cross join lateral (select coalesce(f.erased, f.other) as reason) as r
) as h;

comment on view smartdb.export is
    'Dataset versions that were written to files, and how many media in them were erased or hidden since: then it is stale, and '
    'is to be made anew and the old one deleted.';
comment on column smartdb.export.export_id is 'Identity of the export.';
comment on column smartdb.export.dataset is 'Name of the dataset.';
comment on column smartdb.export.version is 'Its version.';
comment on column smartdb.export.format is 'coco, yolo, voc, cvat, label_studio, folders, webdataset, parquet, arrow, huggingface or croissant.';
comment on column smartdb.export.uri is 'The folder, or the place in a store, that holds it.';
comment on column smartdb.export.state is
    'unfinished (it was cut off, or is being written), complete (its manifest is there), gone (it was, and is no longer).';
comment on column smartdb.export.n_items is 'Media that go into it.';
comment on column smartdb.export.n_files is 'Files in it, without the manifest.';
comment on column smartdb.export.n_bytes is 'Their bytes.';
comment on column smartdb.export.manifest_sha256 is 'SHA-256 of its manifest.json, in hex.';
comment on column smartdb.export.purpose is 'The use it is meant for; its media allowed it when it was begun.';
comment on column smartdb.export.parameters is 'What else decides its bytes: pictures, names, seed, size of shards, origins.';
comment on column smartdb.export.n_erased is 'Media in it that were erased since.';
comment on column smartdb.export.n_restricted is 'Media in it that are hidden by now, for instance since consent was withdrawn.';
comment on column smartdb.export.is_stale is 'Whether it holds any of either.';
comment on column smartdb.export.run_id is 'The run that wrote it.';
comment on column smartdb.export.created_at is 'When it was begun.';
comment on column smartdb.export.finished_at is 'When its manifest was written.';

-- example:
--   select dataset, version, format, uri, state, n_items, n_restricted, is_stale from smartdb.export
-- result:
--   pets | 2 | webdataset | file:///exports/pets | complete | 9 | 0 | False
