-- The labels as they are now.
create view smartdb.label as
select
    l.label_id, l.object_id, l.media_id, l.class, l.class_id, l.kind,
    l.x, l.y, l.w, l.h, l.shape, l.attributes, l.track_id, l.subject_id, l.target_id,
    l.origin, l.actor, l.actor_id, l.confidence,
    coalesce(
        (
            select r.state from core.review as r
            where r.label_id = l.label_id and r.rev_to is null
            order by r.review_id desc limit 1
        ),
        (
            select r.state from core.review as r
            where r.corrected_label_id = l.label_id and r.rev_to is null
            order by r.review_id desc limit 1
        ),
        'unreviewed'
    ) as review_state,
    l.task_id, l.run_id, l.created_at, l.rev_from
from smartdb.label_history as l
where l.rev_to is null;

comment on view smartdb.label is 'The labels as they are now. Look at origin: model and propagated are not a person''s word.';
comment on column smartdb.label.label_id is 'Identity of this state of the label.';
comment on column smartdb.label.object_id is 'Identity of the labelled thing across edits.';
comment on column smartdb.label.media_id is 'The labelled media.';
comment on column smartdb.label.class is 'Name of the class.';
comment on column smartdb.label.class_id is 'Identity of the class.';
comment on column smartdb.label.kind is 'classification, box, rotated_box, polygon, mask, polyline, keypoints, caption or relation.';
comment on column smartdb.label.x is 'Left edge of the bounding box, pixels.';
comment on column smartdb.label.y is 'Top edge of the bounding box, pixels.';
comment on column smartdb.label.w is 'Width of the bounding box, pixels.';
comment on column smartdb.label.h is 'Height of the bounding box, pixels.';
comment on column smartdb.label.shape is 'Rings, mask, corners, points or text, by kind: see the comment on core.label.shape.';
comment on column smartdb.label.attributes is 'Attributes of the label.';
comment on column smartdb.label.track_id is 'The same thing over frames.';
comment on column smartdb.label.subject_id is 'Of a relation, the object_id of what it is said of.';
comment on column smartdb.label.target_id is 'Of a relation, the object_id of the other end.';
comment on column smartdb.label.origin is 'human, import, consensus, model or propagated.';
comment on column smartdb.label.actor is 'Who said it.';
comment on column smartdb.label.actor_id is 'Identity of who said it.';
comment on column smartdb.label.confidence is 'How sure the actor was, 0 to 1.';
comment on column smartdb.label.review_state is 'unreviewed, accepted, corrected (a reviewer wrote it), disputed or adjudicated; see smartdb.review_transition.';
comment on column smartdb.label.task_id is 'The task it answered.';
comment on column smartdb.label.run_id is 'The run that wrote it.';
comment on column smartdb.label.created_at is 'When it was written.';
comment on column smartdb.label.rev_from is 'Revision at which it became true.';

-- example:
--   select media_id, class, origin, actor, review_state from smartdb.label where media_id in (5,
--   9) order by media_id
-- result:
--   5 | dog | human | ana | corrected
--   9 | dog | import | folder names | accepted
