-- Every place where the bytes of a media lie.
create view smartdb.media_location as
select l.media_id, s.name as source, l.uri, l.n_bytes, l.modified_at, l.seen_at, l.etag, l.is_managed,
    l.missing_at
from core.media_location as l
join core.source as s using (source_id);

comment on view smartdb.media_location is 'Every place where the bytes of a media lie: exact duplicates are one media with several rows here.';
comment on column smartdb.media_location.media_id is 'The media.';
comment on column smartdb.media_location.source is 'Name of the source.';
comment on column smartdb.media_location.uri is 'The file, as a percent-encoded URI: file://, s3://, https://, ...';
comment on column smartdb.media_location.n_bytes is 'Size of the file when it was read.';
comment on column smartdb.media_location.modified_at is 'Modification time of the file when it was read.';
comment on column smartdb.media_location.seen_at is 'When it was last read.';
comment on column smartdb.media_location.etag is 'Version of the object as its store tells it; null for local files.';
comment on column smartdb.media_location.is_managed is 'Whether it is the copy that smartdb keeps in its own store.';
comment on column smartdb.media_location.missing_at is 'When a listing first lacked it; null while it is there.';

-- example:
--   select media_id, uri from smartdb.media_location where media_id = 5 order by uri
-- result:
--   5 | file:///toys/cat/5-copy.png
--   5 | file:///toys/cat/5.png
