-- Answers to tasks as they were sent; those that were refused are kept for their authors.
create view smartdb.submission as
select
    s.submission_id, s.task_id, s.media_id, a.name as actor, s.state, s.labels, s.reason, s.sqlstate, s.label_ids, s.seconds,
    s.key, s.n_tries, s.created_at, s.tried_at
from core.submission as s
join core.actor as a on a.actor_id = s.actor_id
where s.state = 'refused' or not pg_has_role(current_user, 'smartdb_annotator', 'member');

comment on view smartdb.submission is
    'Answers to label tasks as they were sent. Annotators see those that were refused: what to mend and send again, with submit_task.';
comment on column smartdb.submission.submission_id is 'Identity of the submission.';
comment on column smartdb.submission.task_id is 'The task; null if there is none of that number.';
comment on column smartdb.submission.media_id is 'The media; null if there is none, or it was erased.';
comment on column smartdb.submission.actor is 'Who sent it.';
comment on column smartdb.submission.state is 'accepted or refused.';
comment on column smartdb.submission.labels is 'The label objects that were refused; null when accepted, or when the media was erased.';
comment on column smartdb.submission.reason is 'Why it was refused, and what to do.';
comment on column smartdb.submission.sqlstate is 'The code of the refusal, such as SD004: the lease had run out.';
comment on column smartdb.submission.label_ids is 'The labels that were written, in the order sent.';
comment on column smartdb.submission.seconds is 'How long the person worked on it, as the client says.';
comment on column smartdb.submission.key is 'The client''s key, or a digest of the labels.';
comment on column smartdb.submission.n_tries is 'How often it was sent.';
comment on column smartdb.submission.created_at is 'When it was sent first.';
comment on column smartdb.submission.tried_at is 'When it was sent last.';

-- example:
--   select task_id, actor, state, labels, reason from smartdb.submission
-- result:
--   7 | cy | refused | [{'class': 'cow'}] | no class cow in ontology animals
