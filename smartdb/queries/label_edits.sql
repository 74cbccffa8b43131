-- name: add
-- Writes what a person says of a media.
select a.label_id
from smartdb.add_labels(%(media_id)s, %(actor)s, %(labels)s, %(ontology)s, %(task_id)s)
    with ordinality as a (label_id, place)
order by a.place;

-- name: edit
-- Changes a label.
select smartdb.edit_label(%(label_id)s, %(actor)s, %(changes)s, %(reason)s);

-- name: remove
-- Takes a label back.
select smartdb.remove_label(%(label_id)s, %(actor)s, %(reason)s);

-- name: labels
-- What is said of a media now.
select smartdb.label_object(l.label_id) from smartdb.label as l
where l.media_id = %(media_id)s
order by l.label_id;

-- name: require_media
-- Refuses a media that is not there.
select smartdb.require_media(%(media_id)s);

-- name: history
-- Every state of the object of a label, oldest first, with who closed it and why.
select
    smartdb.label_object(h.label_id), h.rev_from, h.rev_to, e.actor, e.reason, e.created_at,
    coalesce(e.changed, '{}')
from smartdb.label_history as l
join smartdb.label_history as h on h.object_id = l.object_id
left join smartdb.label_edit as e on e.label_id = h.label_id
where l.label_id = %(label_id)s
order by h.rev_from;

-- name: broken_relations
-- Relations of which an end was removed.
select
    r.label_id, r.media_id, r.subject_id, r.subject, r.relation, r.target_id, r.target, r.actor
from smartdb.relation as r
where not r.is_whole
order by r.label_id;

-- name: tracks_between
-- Where the tracked things of a video are in some frames.
select
    b.frame_index, b.track_id, b.class, b.kind, b.x, b.y, b.w, b.h, b.shape, b.is_key, b.label_id,
    b.next_label_id
from smartdb.track_between(%(video)s, %(first)s, %(last)s, %(track)s) as b;

-- name: end_track
-- Says that from a frame on the thing of a track is not seen.
select smartdb.end_track(%(frame)s, %(actor)s, %(track)s);

-- name: resume_track
-- Takes that back.
select smartdb.resume_track(%(frame)s, %(track)s);
