-- Named parts of the media.
create view smartdb.slice as
select
    s.slice_id, s.name, s.predicate, s.note, s.created_at,
    case when s.predicate is null then 'set' else 'predicate' end as kind
from core.slice as s;

comment on view smartdb.slice is
    'Named parts of the media; slice_item(name) lists one, slice_predicate(name) is it as a condition for any function.';
comment on column smartdb.slice.slice_id is 'Identity of the slice.';
comment on column smartdb.slice.name is 'Unique name.';
comment on column smartdb.slice.predicate is 'SQL condition over the columns of smartdb.media, read as m; null for a set.';
comment on column smartdb.slice.note is 'Why it matters.';
comment on column smartdb.slice.created_at is 'When it was saved.';
comment on column smartdb.slice.kind is
    'predicate (whatever fulfils it when asked) or set (media that were put in, and stay the same while data change).';

-- example:
--   select name, kind, predicate from smartdb.slice order by name
-- result:
--   dim | predicate | m.brightness < 0.3
--   odd ones | set | None
