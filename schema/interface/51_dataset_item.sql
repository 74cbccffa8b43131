-- Membership by intervals of versions.
create view smartdb.dataset_item as
select d.name as dataset, i.media_id, i.split, i.version_from, i.version_to, i.dataset_id
from core.dataset_item as i
join core.dataset as d using (dataset_id);

comment on view smartdb.dataset_item is
    'Membership by intervals: in version v if version_from <= v and (version_to is null or version_to > v). See dataset_item_at().';
comment on column smartdb.dataset_item.dataset is 'Name of the dataset.';
comment on column smartdb.dataset_item.media_id is 'The member.';
comment on column smartdb.dataset_item.split is 'train, val or test.';
comment on column smartdb.dataset_item.version_from is 'First version with this member in this split.';
comment on column smartdb.dataset_item.version_to is 'First version without; null: it is in the newest.';
comment on column smartdb.dataset_item.dataset_id is 'Identity of the dataset.';

-- example:
--   select media_id, split, version_from, version_to from smartdb.dataset_item where media_id in
--   (8, 9, 10) order by media_id
-- result:
--   8 | train | 1 | 2
--   9 | test | 1 | None
--   10 | test | 2 | None
