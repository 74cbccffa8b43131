-- name: submit
-- Answers a review or adjudicate task.
select smartdb.submit_review(
    %(task_id)s, %(actor)s, %(verdict)s, %(class)s, %(reason)s, %(correction)s
);

-- name: review
-- Judges a label, with or without a task.
select smartdb.review_label(
    %(label_id)s, %(actor)s, %(verdict)s, %(class)s, %(reason)s, null, %(correction)s
);

-- name: review_many
-- Accepts or rejects labels.
select smartdb.review_labels(%(label_ids)s::bigint[], %(actor)s, %(verdict)s, %(reason)s);

-- name: dispute
-- Objects to the last verdict on a label.
select smartdb.dispute(%(label_id)s, %(actor)s, %(reason)s);

-- name: adjudicate
-- Settles a dispute.
select smartdb.adjudicate(
    %(label_id)s, %(actor)s, %(verdict)s, %(class)s, %(reason)s, null, %(correction)s
);

-- name: withdraw
-- Takes a verdict back.
select smartdb.withdraw_review(%(review_id)s, %(actor)s);

-- name: resolve
-- Answers a suspicion.
select smartdb.resolve_issue(
    %(issue_id)s, %(actor)s, %(verdict)s, %(correction)s::jsonb, %(reason)s
);

-- name: story
-- All that happened to a label, in order.
select s.revision, s.at, s.event, s.actor, s.reason, s.label_id, s.before, s.after
from smartdb.label_story(%(object_id)s) as s;

-- name: disputed
-- Labels about which people differ.
select
    d.label_id, d.object_id, d.media_id, d.class, d.labelled_by, d.state_before, d.disputed_by, d.verdict,
    d.correction, d.reason, d.task_id, d.task_state, d.uri
from smartdb.disputed as d
order by d.created_at, d.label_id;

-- name: comment
-- Says something about a media, a label or a task, or in reply.
select smartdb.add_comment(
    %(actor)s, %(text)s, %(media_id)s, %(label_id)s, %(task_id)s, %(reply_to)s
);

-- name: comments
-- What was said about a media, oldest first.
select c.comment_id, c.object_id, c.label_id, c.task_id, c.reply_to, c.actor, c.text, c.created_at
from smartdb.comment as c
where c.media_id = %(media_id)s
order by c.comment_id;

-- name: queue
-- Suspicions that wait for a verdict, most suspicious first.
select
    q.issue_id, q.label_id, q.media_id, q.class, q.suggested_class, q.suggestion, q.kind, q.score, q.actor,
    q.task_state, q.uri
from smartdb.review_queue as q
order by q.score desc, q.issue_id
limit %(n)s;

-- name: facts
-- The class of each label, and every place of its media.
select
    h.label_id, h.class,
    array(
        select l.uri from core.media_location as l where l.media_id = h.media_id order by l.uri
    ) as uris
from smartdb.label_history as h
where h.label_id = any (%(label_ids)s);

-- name: give_back
-- Opens claimed tasks again.
update core.task as t
set state = 'open', assignee_id = null, lease_until = null, claimed_at = null
where t.task_id = any(%(task_ids)s::bigint[]) and t.state = 'claimed';
