-- Every state of every label that there ever was.
create view smartdb.label_history as
select
    l.label_id, l.object_id, l.media_id, c.name as class, l.class_id, l.kind,
    l.x, l.y, l.w, l.h, l.shape, l.attributes, l.track_id, l.subject_id, l.target_id,
    l.origin, a.name as actor, l.actor_id, l.confidence, l.task_id, l.run_id,
    l.created_at, l.rev_from, l.rev_to
from core.label as l
left join core.class as c on c.class_id = l.class_id
left join core.actor as a on a.actor_id = l.actor_id;

comment on view smartdb.label_history is
    'Every state of every label; true at revision r if rev_from <= r and (rev_to is null or rev_to > r).';
comment on column smartdb.label_history.label_id is 'Identity of this state of the label.';
comment on column smartdb.label_history.object_id is 'Identity of the labelled thing across edits.';
comment on column smartdb.label_history.media_id is 'The labelled media.';
comment on column smartdb.label_history.class is 'Name of the class.';
comment on column smartdb.label_history.class_id is 'Identity of the class.';
comment on column smartdb.label_history.kind is 'classification, box, rotated_box, polygon, mask, polyline, keypoints, caption or relation.';
comment on column smartdb.label_history.x is 'Left edge of the bounding box, pixels.';
comment on column smartdb.label_history.y is 'Top edge of the bounding box, pixels.';
comment on column smartdb.label_history.w is 'Width of the bounding box, pixels.';
comment on column smartdb.label_history.h is 'Height of the bounding box, pixels.';
comment on column smartdb.label_history.shape is 'Rings, mask, corners, points or text, by kind: see the comment on core.label.shape.';
comment on column smartdb.label_history.attributes is 'Attributes of the label.';
comment on column smartdb.label_history.track_id is 'The same thing over frames.';
comment on column smartdb.label_history.subject_id is 'Of a relation, the object_id of what it is said of.';
comment on column smartdb.label_history.target_id is 'Of a relation, the object_id of the other end.';
comment on column smartdb.label_history.origin is 'human, import, consensus, model or propagated.';
comment on column smartdb.label_history.actor is 'Who said it.';
comment on column smartdb.label_history.actor_id is 'Identity of who said it.';
comment on column smartdb.label_history.confidence is 'How sure the actor was, 0 to 1.';
comment on column smartdb.label_history.task_id is 'The task it answered.';
comment on column smartdb.label_history.run_id is 'The run that wrote it.';
comment on column smartdb.label_history.created_at is 'When it was written.';
comment on column smartdb.label_history.rev_from is 'Revision at which it became true.';
comment on column smartdb.label_history.rev_to is 'Revision at which it ceased to be; null while live.';

-- example:
--   select label_id, class, origin, actor, rev_to is null as live from smartdb.label_history
--   where media_id = 5
-- result:
--   5 | cat | import | folder names | False
--   16 | dog | human | ana | True
