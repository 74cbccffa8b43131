-- The media of saved sets.
create view smartdb.slice_media as
select s.name as slice, i.media_id
from core.slice_media as i
join core.slice as s on s.slice_id = i.slice_id;

comment on view smartdb.slice_media is 'The media of slices that are sets; slice_item(name) lists those of any slice.';
comment on column smartdb.slice_media.slice is 'Name of the set.';
comment on column smartdb.slice_media.media_id is 'The media.';

-- example:
--   select slice, media_id from smartdb.slice_media order by media_id
-- result:
--   odd ones | 3
--   odd ones | 5
