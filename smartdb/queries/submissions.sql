-- name: submit
-- Answers a label task; what is refused is kept.
select s.submission_id, s.state, s.label_ids, s.sqlstate, s.reason
from smartdb.submit_task(
    %(task_id)s, %(actor)s, %(labels)s, %(key)s, %(seconds)s::real
) as s;

-- name: refused
-- Answers that were refused, the newest first.
select
    s.submission_id, s.task_id, s.media_id, s.actor, s.labels, s.reason, s.sqlstate, s.key,
    s.n_tries, s.tried_at
from smartdb.submission as s
where
    s.state = 'refused'
    and (%(actor)s::text is null or s.actor = %(actor)s)
    and (%(before)s::bigint is null or s.submission_id < %(before)s)
order by s.submission_id desc
limit %(limit)s;
