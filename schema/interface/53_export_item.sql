-- In which file of which export each media lies.
create view smartdb.export_item as
select p.export_id, m.media_id, coalesce(p.paths[u.place], p.paths[1]) as path
from core.export_part as p
cross join lateral unnest(p.media_ids) with ordinality as u (media_id, place)
join smartdb.media as m on m.media_id = u.media_id;

comment on view smartdb.export_item is
    'In which file of an export each media lies. The files of what was erased are in the report of smartdb erase.';
comment on column smartdb.export_item.export_id is 'The export.';
comment on column smartdb.export_item.media_id is 'The media.';
comment on column smartdb.export_item.path is 'The file, below the export''s uri.';

-- example:
--   select media_id, path from smartdb.export_item order by media_id limit 2
-- result:
--   1 | train-000000.tar
--   2 | train-000000.tar
