-- Named parts of the media.
create view smartdb.slice as
select s.slice_id, s.name, s.predicate, s.note, s.created_at from core.slice as s;

comment on view smartdb.slice is 'Named parts of the media; slice_item(name) lists one.';
comment on column smartdb.slice.slice_id is 'Identity of the slice.';
comment on column smartdb.slice.name is 'Unique name.';
comment on column smartdb.slice.predicate is 'SQL condition over the columns of smartdb.media, read as m.';
comment on column smartdb.slice.note is 'Why it matters.';
comment on column smartdb.slice.created_at is 'When it was saved.';

-- example:
--   select name, predicate from smartdb.slice
-- result:
--   dim | m.brightness < 0.3
