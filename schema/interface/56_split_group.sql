-- What must stay on one side of a split: the given group, else the near-duplicate group, else the media.
-- An augmentation is in the group of its original. Named by content, so that the same pictures are
-- split alike in every database.
create view smartdb.split_group as
select
    m.media_id,
    smartdb.split_group_of(m.group_key, encode(coalesce(d.group_sha256, m.sha256), 'hex')) as split_group
from core.media as m
left join core.duplicate as d on d.media_id = m.media_id
where m.recipe ->> 'step' is distinct from 'augment'
union all
select
    a.media_id,
    smartdb.split_group_of(m.group_key, encode(coalesce(d.group_sha256, m.sha256), 'hex')) as split_group
from core.media as a
join core.media as m on m.media_id = core.original(a.media_id)
left join core.duplicate as d on d.media_id = m.media_id
where a.parent_media_id is not null and a.recipe ->> 'step' = 'augment';

comment on view smartdb.split_group is
    'What must stay on one side of a split: the given group_key, else the near-duplicate group, else the media '
    'alone; an augmentation is in the group of its original.';
comment on column smartdb.split_group.media_id is 'The media.';
comment on column smartdb.split_group.split_group is 'Name of its group; of near-duplicates the SHA-256 of the first.';

-- example:
--   select media_id, left(split_group, 14) from smartdb.split_group where media_id <= 4 order by media_id
-- result:
--   1 | media 820de734
--   2 | media 820de734
--   3 | group scene 1
--   4 | group scene 1
