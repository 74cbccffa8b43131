-- Where media lie, restricted ones included: ingest runs as smartdb_writer, which row-level
-- security does not show them, and must neither read their files at each run nor lose track of them.

create function core.location_of(source bigint, uris text[])
returns table (uri text, n_bytes bigint, modified_at timestamptz)
language sql stable security definer
begin atomic
    select l.uri, l.n_bytes, l.modified_at
    from core.media_location as l
    where l.source_id = source and l.uri = any (uris);
end;
comment on function core.location_of(bigint, text[]) is
    'Size and time of the files of a source as they were last read, restricted media included, so '
    'that a pipeline that may not see a picture need not read its file again.';

create function core.locate(
    source bigint, media_ids bigint[], uris text[], n_bytes bigint[], modified_at timestamptz[]
) returns void
language sql security definer
begin atomic
    insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
    select f.media_id, source, f.uri, f.n_bytes, f.modified_at
    from unnest(media_ids, uris, locate.n_bytes, locate.modified_at)
        as f (media_id, uri, n_bytes, modified_at)
    where not exists (select from core.media as m where m.media_id = f.media_id and m.erased_at is not null)
    order by f.uri
    on conflict (source_id, uri) do update
    set media_id = excluded.media_id, n_bytes = excluded.n_bytes,
        modified_at = excluded.modified_at, seen_at = now();
end;
comment on function core.locate(bigint, bigint[], text[], bigint[], timestamptz[]) is
    'Records what files of a source hold now, restricted media included; a file that was known is '
    'moved to what it holds now. Rows are written in order of URI, so two calls cannot deadlock.';
