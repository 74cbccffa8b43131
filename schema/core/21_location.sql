-- Where media lie, restricted ones included: ingest runs as smartdb_writer, which row-level
-- security does not show them, and must neither read their files at each run nor lose track of them.

create function core.location_of(source bigint, uris text[])
returns table (uri text, n_bytes bigint, modified_at timestamptz, etag text)
language sql stable security definer
begin atomic
    select l.uri, l.n_bytes, l.modified_at, l.etag
    from core.media_location as l
    where l.source_id = source and l.uri = any (uris);
end;
comment on function core.location_of(bigint, text[]) is
    'Size, time and version of the files of a source as they were last read, restricted media '
    'included, so that a pipeline that may not see a picture need not read its file again.';

create function core.unmanaged(source bigint, uris text[])
returns table (uri text)
language sql stable security definer
begin atomic
    select l.uri
    from core.media_location as l
    where l.source_id = source and l.uri = any (uris) and not exists (
        select from core.media_location as k where k.media_id = l.media_id and k.is_managed
    );
end;
comment on function core.unmanaged(bigint, text[]) is
    'Which of these files have no copy in the managed store, restricted media included.';

create function core.places_below(source bigint, root text, before timestamptz)
returns table (uri text, is_missing boolean)
language sql stable security definer
begin atomic
    select l.uri, l.missing_at is not null
    from core.media_location as l
    where l.source_id = source and not l.is_managed and l.seen_at < before
        and starts_with(l.uri, rtrim(root, '/') || '/')
        and l.uri not like '%#frame=%';  -- which lies where its video does
end;
comment on function core.places_below(bigint, text, timestamptz) is
    'The files of a source below a folder that were read before a moment, and which of them are '
    'missing, restricted media included. Managed copies are not among them.';

create function core.locate(
    source bigint, media_ids bigint[], uris text[], n_bytes bigint[], modified_at timestamptz[],
    etags text[], is_managed boolean
) returns void
language sql security definer
begin atomic
    insert into core.media_location
        (media_id, source_id, uri, n_bytes, modified_at, etag, is_managed)
    select f.media_id, source, f.uri, f.n_bytes, f.modified_at, f.etag, locate.is_managed
    from unnest(media_ids, uris, locate.n_bytes, locate.modified_at, etags)
        as f (media_id, uri, n_bytes, modified_at, etag)
    where not exists (select from core.media as m where m.media_id = f.media_id and m.erased_at is not null)
    order by f.uri
    on conflict (source_id, uri) do update
    set media_id = excluded.media_id, n_bytes = excluded.n_bytes,
        modified_at = excluded.modified_at, etag = excluded.etag, seen_at = now(),
        missing_at = null;
end;
comment on function core.locate(
    bigint, bigint[], text[], bigint[], timestamptz[], text[], boolean
) is
    'Records what files of a source hold now, restricted media included; a file that was known is '
    'moved to what it holds now. Rows are written in order of URI, so two calls cannot deadlock.';

create function core.mark_missing(source bigint, uris text[], since timestamptz)
returns table (n_missing bigint, n_moved bigint)
language sql security definer
begin atomic
    with gone as (
        select l.media_id, l.uri from core.media_location as l
        where l.source_id = source and l.uri = any (uris) and l.missing_at is null
        order by l.uri
        for update
    ),
    marked as (
        update core.media_location as l set missing_at = now()
        from gone where l.source_id = source and l.uri = gone.uri
        returning l.media_id
    ),
    frames as (
        update core.media_location as l set missing_at = now()
        from gone
        join core.media as m on m.parent_media_id = gone.media_id and m.kind = 'frame'
        where l.media_id = m.media_id and l.source_id = source
            and split_part(l.uri, '#frame=', 1) = gone.uri
    ),
    judged as (
        select exists (
            select from core.media_location as o
            where o.media_id = marked.media_id and o.seen_at >= since and not o.is_managed
        ) as is_moved
        from marked
    )
    select count(*) filter (where not j.is_moved), count(*) filter (where j.is_moved)
    from judged as j;
end;
comment on function core.mark_missing(bigint, text[], timestamptz) is
    'Marks files of a source that a listing lacked, and tells how many are missing and how many '
    'only moved: their bytes were read at another place since a moment. A video takes its frames along.';

create function core.mark_found(source bigint, uris text[]) returns void
language sql security definer
begin atomic
    with back as (
        select l.media_id, l.uri from core.media_location as l
        where l.source_id = source and l.uri = any (uris) and l.missing_at is not null
        order by l.uri
        for update
    ),
    frames as (
        update core.media_location as l set missing_at = null
        from back
        join core.media as m on m.parent_media_id = back.media_id and m.kind = 'frame'
        where l.media_id = m.media_id and l.source_id = source
            and split_part(l.uri, '#frame=', 1) = back.uri
    )
    update core.media_location as l set missing_at = null
    from back
    where l.source_id = source and l.uri = back.uri;
end;
comment on function core.mark_found(bigint, text[]) is
    'Takes the mark off files of a source that a listing has again, restricted media included.';
