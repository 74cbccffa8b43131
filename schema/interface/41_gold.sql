-- Labels that are known to be true; not shown to annotators, who are measured by them.
create view smartdb.gold as
select
    l.label_id, l.media_id, l.class, l.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes,
    a.name as said_by, g.reason, g.rev_from
from core.gold as g
join smartdb.label_history as l on l.label_id = g.label_id
join core.actor as a on a.actor_id = g.actor_id
where
    g.rev_to is null and l.rev_to is null
    and not pg_has_role(current_user, 'smartdb_annotator', 'member');

comment on view smartdb.gold is
    'Labels that are known to be true, by which annotators and models are measured. Nothing for annotators.';
comment on column smartdb.gold.label_id is 'The label.';
comment on column smartdb.gold.media_id is 'The media.';
comment on column smartdb.gold.class is 'Name of the class.';
comment on column smartdb.gold.class_id is 'Identity of the class.';
comment on column smartdb.gold.kind is 'Kind of label.';
comment on column smartdb.gold.x is 'Left edge of the bounding box, pixels.';
comment on column smartdb.gold.y is 'Top edge of the bounding box, pixels.';
comment on column smartdb.gold.w is 'Width of the bounding box, pixels.';
comment on column smartdb.gold.h is 'Height of the bounding box, pixels.';
comment on column smartdb.gold.shape is 'Outline, by kind.';
comment on column smartdb.gold.attributes is 'Attributes of the label.';
comment on column smartdb.gold.said_by is 'Who says that it is true.';
comment on column smartdb.gold.reason is 'Why.';
comment on column smartdb.gold.rev_from is 'Revision at which it became so.';

-- example:
--   select media_id, class, said_by, reason from smartdb.gold
-- result:
--   9 | dog | cy | seen by three
