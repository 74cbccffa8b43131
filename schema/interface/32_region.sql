-- The labelled regions as they are now: labels that mark a part of a picture, clipped at its edges.
create view smartdb.region as
select
    l.label_id, l.media_id, c.name as class, l.class_id, l.kind, l.origin,
    greatest(l.x, 0) as x,
    greatest(l.y, 0) as y,
    least(l.x + l.w, m.width) - greatest(l.x, 0) as w,
    least(l.y + l.h, m.height) - greatest(l.y, 0) as h,
    case
        when least(l.x + l.w, m.width) <= greatest(l.x, 0)
            or least(l.y + l.h, m.height) <= greatest(l.y, 0) then 'outside'
        when least(l.x + l.w, m.width) - greatest(l.x, 0) < 4
            or least(l.y + l.h, m.height) - greatest(l.y, 0) < 4 then 'tiny'
    end as problem
from core.label as l
join core.media as m on m.media_id = l.media_id
left join core.class as c on c.class_id = l.class_id
where
    l.rev_to is null and l.kind in ('box', 'rotated_box', 'polygon', 'mask')
    and m.kind in ('image', 'frame') and m.erased_at is null;

comment on view smartdb.region is
    'The labels that mark a region of a picture now: boxes, rotated boxes, polygons and masks, with what their bounding box '
    'has in the picture.';
comment on column smartdb.region.label_id is 'The label; an edited one has another.';
comment on column smartdb.region.media_id is 'The media it is in.';
comment on column smartdb.region.class is 'Name of its class.';
comment on column smartdb.region.class_id is 'Identity of its class.';
comment on column smartdb.region.kind is 'box, rotated_box, polygon or mask.';
comment on column smartdb.region.origin is 'human, import, consensus, model or propagated.';
comment on column smartdb.region.x is 'Left edge of its bounding box within the picture, pixels.';
comment on column smartdb.region.y is 'Top edge of its bounding box within the picture, pixels.';
comment on column smartdb.region.w is 'Width of its bounding box within the picture, pixels.';
comment on column smartdb.region.h is 'Height of its bounding box within the picture, pixels.';
comment on column smartdb.region.problem is
    'Why it can have no vector: outside (of the picture) or tiny (a side of less than 4 pixels); null: it can.';

-- example:
--   select label_id, media_id, class, x, y, w, h, problem from smartdb.region order by label_id
-- result:
--   101 | 8 | dog | 2 | 3 | 10 | 12 | None
--   102 | 8 | cat | 20 | 10 | 12 | 10 | None
--   103 | 10 | cat | 1 | 1 | 8 | 8 | None
--   104 | 10 | dog | 30 | 22 | 2 | 2 | tiny
