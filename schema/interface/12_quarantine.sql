-- Every file that was refused, with the reason.
create view smartdb.quarantine as
select q.quarantine_id, s.name as source, q.uri, q.reason, q.detail, q.n_bytes, q.run_id, q.created_at
from core.quarantine as q
join core.source as s using (source_id);

comment on view smartdb.quarantine is 'Every file that was refused, with the reason; smartdb quarantine retry reads them again.';
comment on column smartdb.quarantine.quarantine_id is 'Identity of the refusal.';
comment on column smartdb.quarantine.source is 'Name of the source.';
comment on column smartdb.quarantine.uri is 'The file, as a percent-encoded file:// URI.';
comment on column smartdb.quarantine.reason is
    'Stable code: empty_file, not_an_image, not_a_video, unsupported, truncated, corrupt, too_large, too_slow, worker_died, '
    'unreadable, missing, changed, no_vector, no_place, erased.';
comment on column smartdb.quarantine.detail is 'What the reader said.';
comment on column smartdb.quarantine.n_bytes is 'Size of the file, if it could be told.';
comment on column smartdb.quarantine.run_id is 'The run that refused it last.';
comment on column smartdb.quarantine.created_at is 'When it was refused last.';

-- example:
--   select source, uri, reason, detail from smartdb.quarantine
-- result:
--   toys | file:///toys/cat/half.jpg | truncated | image file is truncated (12 bytes not processed)
