-- What was remarked on datasets and their versions.
create view smartdb.dataset_note as
select d.name as dataset, n.version, n.note, n.actor, n.created_at, n.dataset_note_id
from core.dataset_note as n
join core.dataset as d using (dataset_id);

comment on view smartdb.dataset_note is 'What was remarked on a dataset (version null) or on one of its versions.';
comment on column smartdb.dataset_note.dataset is 'Name of the dataset.';
comment on column smartdb.dataset_note.version is 'The version; null: the dataset as a whole.';
comment on column smartdb.dataset_note.note is 'The remark.';
comment on column smartdb.dataset_note.actor is 'Who made it.';
comment on column smartdb.dataset_note.created_at is 'When.';
comment on column smartdb.dataset_note.dataset_note_id is 'Identity of the note, in order.';

-- example:
--   select version, note, actor from smartdb.dataset_note where dataset = 'pets'
-- result:
--   2 | media 8 is blurred | ana
