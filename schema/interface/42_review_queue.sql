-- Open suspicions on labels that still stand, most suspicious first by score.
create view smartdb.review_queue as
select
    i.issue_id, i.label_id, i.media_id, i.uri, i.class, i.actor, i.suggested_class, i.suggestion, i.kind, i.score,
    t.task_id, t.state as task_state
from smartdb.label_issue as i
left join core.task as t
    on t.kind = 'review' and t.label_id = i.label_id and t.state in ('open', 'claimed')
where i.state = 'open' and i.is_live;

comment on view smartdb.review_queue is 'Open suspicions on labels that still stand. Order by score desc, issue_id.';
comment on column smartdb.review_queue.issue_id is 'Identity of the suspicion.';
comment on column smartdb.review_queue.label_id is 'The suspected label; null where a label is missing (overlooked).';
comment on column smartdb.review_queue.media_id is 'The media.';
comment on column smartdb.review_queue.uri is 'Where its bytes lie.';
comment on column smartdb.review_queue.class is 'The class it was given.';
comment on column smartdb.review_queue.actor is 'Who gave it.';
comment on column smartdb.review_queue.suggested_class is 'The class that the detector would give.';
comment on column smartdb.review_queue.suggestion is 'Where and how the detector would put it: kind, x, y, w, h, shape.';
comment on column smartdb.review_queue.kind is 'swapped, overlooked, ...';
comment on column smartdb.review_queue.score is 'How suspicious, 0 to 1.';
comment on column smartdb.review_queue.task_id is 'The review task, if it was queued.';
comment on column smartdb.review_queue.task_state is 'open or claimed.';

-- example:
--   select media_id, class, suggested_class, score from smartdb.review_queue order by score desc
-- result:
--   7 | dog | cat | 0.3
