-- Annotating and reviewing: what people say to each other about media, labels and tasks.

create table core.comment (
    comment_id bigint generated always as identity,
    media_id bigint not null,
    object_id bigint,
    label_id bigint,
    task_id bigint,
    reply_to bigint,
    actor_id bigint not null,
    text text,
    created_at timestamptz not null default now(),
    constraint comment_pk primary key (comment_id),
    constraint comment_about_check check (num_nonnulls(label_id, task_id) <= 1 and (label_id is null) = (object_id is null)),
    constraint comment_text_check check (length(text) between 1 and 10000),
    constraint comment_reply_fk foreign key (reply_to)
        references core.comment (comment_id) on delete restrict
);
create index comment_media_idx on core.comment (media_id);
create index comment_object_idx on core.comment (object_id) where object_id is not null;
create index comment_task_idx on core.comment (task_id) where task_id is not null;
create index comment_reply_idx on core.comment (reply_to) where reply_to is not null;
call core.protect('core.comment');
call core.make_permanent('core.comment', 'comment_id');
call core.refer('core.comment', '{
    {media_id, core.media, media_id},
    {label_id, core.label, label_id},
    {task_id, core.task, task_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.comment is
    'What somebody says about a media, or about one of its labels or tasks. Stays as it was said; blank once the media is erased.';
comment on column core.comment.comment_id is 'Identity of the comment.';
comment on column core.comment.media_id is 'The media.';
comment on column core.comment.object_id is 'The label it is about, whatever its row is by now; null if about none.';
comment on column core.comment.label_id is 'The row of that label that stood when it was said.';
comment on column core.comment.task_id is 'The task it is about, if it is about one.';
comment on column core.comment.reply_to is 'The comment that it answers.';
comment on column core.comment.actor_id is 'Who says it.';
comment on column core.comment.text is 'What is said; null once the media is erased.';
comment on column core.comment.created_at is 'When it was said.';
