-- Annotating: what was said about media. Labels are versioned rows.

create sequence core.label_object as bigint;
comment on sequence core.label_object is 'Numbers the labelled things, whose identity outlives edits of their label.';

create table core.label (
    label_id bigint generated always as identity,
    object_id bigint not null default nextval('core.label_object'),
    media_id bigint not null,
    class_id bigint not null,
    kind text not null default 'classification',
    x double precision,
    y double precision,
    w double precision,
    h double precision,
    shape jsonb,
    attributes jsonb,
    track_id bigint,
    subject_id bigint,
    target_id bigint,
    origin text not null,
    actor_id bigint not null,
    confidence real,
    task_id bigint,
    run_id bigint,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint label_pk primary key (label_id),
    constraint label_kind_check check (kind in (
        'classification', 'box', 'rotated_box', 'polygon', 'mask', 'polyline', 'keypoints', 'caption', 'relation')),
    constraint label_origin_check check (origin in ('human', 'import', 'consensus', 'model', 'propagated')),
    constraint label_box_check check (
        case when rev_to is not null and num_nonnulls(x, y, w, h, shape, attributes, subject_id, target_id) = 0 then true -- erased
        else case kind
            when 'classification' then num_nonnulls(x, y, w, h, shape) = 0
            when 'relation' then num_nonnulls(x, y, w, h, shape) = 0
            when 'caption' then num_nonnulls(x, y, w, h) = 0 and shape ? 'text'
            when 'box' then num_nulls(x, y, w, h) = 0 and w > 0 and h > 0
            else num_nulls(x, y, w, h, shape) = 0 and w >= 0 and h >= 0
        end end),
    constraint label_relation_check check (
        case when kind = 'relation'
            then rev_to is not null or (num_nulls(subject_id, target_id) = 0 and subject_id <> target_id)
            else num_nonnulls(subject_id, target_id) = 0 end),
    constraint label_confidence_check check (confidence between 0 and 1),
    constraint label_rev_check check (rev_to > rev_from)
);
-- Bulk loads pay for every index: each one below is asked, and the rows of a run lie together.
create unique index label_object_key on core.label (object_id, rev_to) nulls not distinct;
create unique index label_classification_key on core.label (media_id, actor_id, class_id)
    where rev_to is null and kind = 'classification';
create index label_media_idx on core.label (media_id);
create index label_class_idx on core.label (class_id) where rev_to is null;
create index label_actor_idx on core.label (actor_id) where origin = 'human';
create index label_task_idx on core.label (task_id) where task_id is not null;
create index label_run_idx on core.label using brin (run_id);
create index label_rev_from_idx on core.label (rev_from);
create index label_rev_to_idx on core.label (rev_to) where rev_to is not null;
create index label_subject_idx on core.label (subject_id) where subject_id is not null;
create index label_target_idx on core.label (target_id) where target_id is not null;
call core.make_versioned('core.label');
call core.protect('core.label');
comment on table core.label is
    'What an actor says about a media. Never edited: an edit closes the row (rev_to) and opens '
    'another with the same object_id; live rows have rev_to null.';
comment on column core.label.label_id is 'Identity of this row, that is of one state of the label.';
comment on column core.label.object_id is 'Identity of the labelled thing across edits.';
comment on column core.label.media_id is 'The labelled media.';
comment on column core.label.class_id is 'The class it was given.';
comment on column core.label.kind is
    'classification (the whole media), caption, box, rotated_box, polygon, mask, polyline, keypoints, or relation (between two '
    'labelled things).';
comment on column core.label.x is 'Left edge of the bounding box in pixels of the upright image.';
comment on column core.label.y is 'Top edge of the bounding box in pixels of the upright image.';
comment on column core.label.w is 'Width of the bounding box in pixels.';
comment on column core.label.h is 'Height of the bounding box in pixels.';
comment on column core.label.shape is
    'polygon: {"polygons": [[outer, hole, ...], ...]}, a ring is [[x, y], ...]; mask: COCO run lengths '
    '{"size": [h, w], "counts": text}; rotated_box: {"corners": four [x, y]}; polyline: {"points": [[x, y], ...]}; '
    'keypoints: {"points": [[x, y, visibility], ...]}; caption: {"text": ...}. Pixels of the upright image, not rounded.';
comment on column core.label.attributes is 'Attributes, by the class''s attribute schema.';
comment on column core.label.track_id is 'The same thing over the frames of a video.';
comment on column core.label.subject_id is 'Of a relation, the object_id of what it is said of: in "man rides horse" the man.';
comment on column core.label.target_id is 'Of a relation, the object_id of the other end: the horse.';
comment on column core.label.origin is
    'human, import (came with the files), consensus, model or propagated; the last two are never '
    'taken for a person''s word.';
comment on column core.label.actor_id is 'Who said it.';
comment on column core.label.confidence is 'How sure the actor was, 0 to 1; null is not said.';
comment on column core.label.task_id is 'The task it answered.';
comment on column core.label.run_id is 'The run that wrote it, if one did.';
comment on column core.label.created_at is 'When it was written, for people; order is told by rev_from.';
comment on column core.label.rev_from is 'Revision at which this row became true.';
comment on column core.label.rev_to is 'Revision at which it ceased to be; null while it is live.';
