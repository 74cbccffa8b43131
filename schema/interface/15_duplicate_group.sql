-- Near-duplicates, with the member of each group that is best kept: the largest, then the sharpest.
create view smartdb.duplicate_group as
select
    d.group_id, d.media_id,
    row_number() over (
        partition by d.group_id
        order by m.width::bigint * m.height desc, q.sharpness desc nulls last, d.media_id
    ) = 1 as is_representative,
    count(*) over (partition by d.group_id) as n_members,
    m.uri
from core.duplicate as d
join smartdb.media as m using (media_id)
left join core.quality as q using (media_id);

comment on view smartdb.duplicate_group is 'Members of the near-duplicate groups; keeping only the representatives removes the repetition.';
comment on column smartdb.duplicate_group.group_id is 'The group, named by its smallest media_id.';
comment on column smartdb.duplicate_group.media_id is 'The member.';
comment on column smartdb.duplicate_group.is_representative is
    'True for one member of each group: that with the most pixels, of these the sharpest, of these the smallest media_id.';
comment on column smartdb.duplicate_group.n_members is 'How many members the group has.';
comment on column smartdb.duplicate_group.uri is 'Where the member''s bytes lie.';

-- example:
--   select group_id, media_id, is_representative, n_members from smartdb.duplicate_group order
--   by media_id
-- result:
--   1 | 1 | False | 2
--   1 | 2 | True | 2
