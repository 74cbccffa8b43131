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
    constraint label_finite_check check (
        abs(x) < 'infinity' and abs(y) < 'infinity' and w < 'infinity' and h < 'infinity'),
    constraint label_shape_check check (
        -- run lengths of files were decoded before they came here (smartdb.import_rows): 1 ms each in SQL
        shape is null or (kind = 'mask' and origin = 'import') or core.shape_problem(kind, null, null, null, null, shape) is null),
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

create function core.is_said_before(l core.label) returns boolean
language sql stable
return exists (
    select from core.media as m
    join core.label as p on p.media_id in (m.media_id, m.parent_media_id) and p.label_id < l.label_id
    where m.media_id = l.media_id
        and (p.kind, p.x, p.y, p.w, p.h, p.shape, p.subject_id, p.target_id)
        is not distinct from (l.kind, l.x, l.y, l.w, l.h, l.shape, l.subject_id, l.target_id)
);
comment on function core.is_said_before(core.label) is
    'Whether the same geometry or ends were said of the media, or of what it was made of, before: a correction of the class, a roll '
    'back, a clean copy leave them as they were.';

create function core.video_of(media bigint) returns bigint
language sql stable
return (select case m.kind when 'frame' then m.parent_media_id else m.media_id end from core.media as m where m.media_id = media);
comment on function core.video_of(bigint) is 'The video that a media is a frame of, else the media itself.';

create function core.misplaced(l core.label) returns text
language sql stable
return (
    select coalesce(
        core.place_problem(l.kind, case when l.origin = 'human' then l.x end, l.y, l.w, l.h, l.shape, m.width, m.height),
        case when l.origin = 'human' then core.shape_problem(l.kind, l.x, l.y, l.w, l.h, l.shape) end
    )
    from core.media as m where m.media_id = l.media_id
);
comment on function core.misplaced(core.label) is
    'In what the place of a label disagrees with its picture, for a person; null if in nothing. What files, models and the like say '
    'may lie partly outside; what a person says may not.';

create function core.check_labels() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    l core.label;
begin
    for l in -- few: of what files say only the masks
        select c.* from changed as c where c.kind in ('mask', 'relation') or (c.origin = 'human' and c.x is not null)
    loop
        if l.kind = 'relation' then
            if not exists (
                select from core.label as s join core.label as t on t.object_id = l.target_id and t.rev_to is null and t.kind <> 'relation'
                where s.object_id = l.subject_id and s.rev_to is null and s.kind <> 'relation'
                    and core.video_of(s.media_id) = core.video_of(l.media_id) and core.video_of(t.media_id) = core.video_of(l.media_id)
            ) and not core.is_said_before(l) then
                raise exception 'the relation between % and % is not between two live labels of media %', l.subject_id, l.target_id, l.media_id
                    using errcode = 'SD002', hint = 'give object_ids of smartdb.label, of the same media or of frames of the same video';
            end if;
        elsif core.misplaced(l) is not null and not core.is_said_before(l) then
            raise exception 'a % of media % cannot be so: %', l.kind, l.media_id, core.misplaced(l)
                using errcode = 'SD002', hint = 'draw it within the picture; pixels are those of the upright one';
        end if;
    end loop;
    if exists (select from core.tombstone) and exists (select from changed as c join core.tombstone as t on t.media_id = c.media_id) then
        raise exception 'media % was erased', (select min(c.media_id) from changed as c join core.tombstone as t on t.media_id = c.media_id)
            using errcode = 'SD001', hint = 'nothing can be said of it any more; see: select * from smartdb.tombstone';
    end if;
    return null;
end
$$;
comment on function core.check_labels() is
    'Statement trigger of labels: what people draw lies within the picture, masks are of its size, relations lead to live labels, '
    'and nothing is said of an erased media.';
create trigger check_on_insert after insert on core.label referencing new table as changed
for each statement execute function core.check_labels();

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
