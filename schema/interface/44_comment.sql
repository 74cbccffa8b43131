-- What people said about media, labels and tasks.
create view smartdb.comment as
select
    c.comment_id, c.media_id, c.object_id, c.label_id, c.task_id, c.reply_to, a.name as actor, c.text, c.created_at
from core.comment as c
join core.actor as a on a.actor_id = c.actor_id
where c.text is not null;

comment on view smartdb.comment is 'What people said about media, and about their labels and tasks. Order by comment_id.';
comment on column smartdb.comment.comment_id is 'Identity of the comment.';
comment on column smartdb.comment.media_id is 'The media.';
comment on column smartdb.comment.object_id is 'The label it is about, whatever row of it stands by now.';
comment on column smartdb.comment.label_id is 'The row of the label that stood when it was said.';
comment on column smartdb.comment.task_id is 'The task it is about.';
comment on column smartdb.comment.reply_to is 'The comment that it answers.';
comment on column smartdb.comment.actor is 'Who said it.';
comment on column smartdb.comment.text is 'What was said.';
comment on column smartdb.comment.created_at is 'When.';

-- example:
--   select actor, object_id, text from smartdb.comment
-- result:
--   ana | 5 | the ears are a dog's
