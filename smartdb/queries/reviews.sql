-- name: submit
-- Answers a review task.
select smartdb.submit_review(%(task_id)s, %(actor)s, %(verdict)s, %(class)s, %(reason)s);

-- name: review
-- Judges a label, with or without a task.
select smartdb.review_label(%(label_id)s, %(actor)s, %(verdict)s, %(class)s, %(reason)s);

-- name: queue
-- Suspicions that wait for a verdict, most suspicious first.
select
    q.label_id, q.media_id, q.class, q.suggested_class, q.kind, q.score, q.actor, q.task_state, q.uri
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
