-- What was erased: the ids that are left, by which request, and when.
create view smartdb.tombstone as
select t.media_id, t.erasure_id, e.run_id, e.created_at as asked_at, e.finished_at
from core.tombstone as t
join core.erasure as e using (erasure_id);

comment on view smartdb.tombstone is
    'Media that were erased. Of each are left its id, in the dataset versions that held it, and its hash, so that ingest refuses '
    'the same bytes. Why, and what it was, only the privacy officer sees: core.erasure.';
comment on column smartdb.tombstone.media_id is 'The media that was.';
comment on column smartdb.tombstone.erasure_id is 'The request.';
comment on column smartdb.tombstone.run_id is 'The run that erased it.';
comment on column smartdb.tombstone.asked_at is 'When it was asked for; from then on it was hidden.';
comment on column smartdb.tombstone.finished_at is 'When its last byte was gone; null while smartdb erase must be run again.';

-- example:
--   select count(*) from smartdb.tombstone
-- result:
--   0
