-- Says something about a media, a label or a task.
create function smartdb.add_comment(
    actor text, text text, media bigint default null, label bigint default null, task bigint default null,
    reply_to bigint default null
)
returns bigint
language plpgsql volatile as $$
declare
    me constant bigint := smartdb.person_id(actor);
    subject core.comment;
    result bigint;
begin
    if coalesce(btrim(add_comment.text), '') = '' or length(add_comment.text) > 10000 then
        raise exception 'a comment of % characters', coalesce(length(add_comment.text), 0)
            using errcode = 'SD002', hint = 'say 1 to 10000';
    elsif num_nonnulls(media, label, task, reply_to) <> 1 then
        raise exception 'a comment is about one thing'
            using errcode = 'SD002', hint = 'name a media, a label, a task, or the comment it replies to';
    end if;
    if label is not null then
        select h.media_id, h.object_id, h.label_id into subject.media_id, subject.object_id, subject.label_id
        from smartdb.label_history as h where h.label_id = label;
    elsif task is not null then
        select t.media_id, t.task_id into subject.media_id, subject.task_id from core.task as t where t.task_id = task;
    elsif reply_to is not null then
        select c.media_id, c.object_id, c.label_id, c.task_id
        into subject.media_id, subject.object_id, subject.label_id, subject.task_id
        from smartdb.comment as c where c.comment_id = add_comment.reply_to;
    else
        select m.media_id into subject.media_id from smartdb.media as m where m.media_id = media;
    end if;
    if not found then
        raise exception 'nothing to comment on: no %', case
                when media is not null then 'media ' || media when label is not null then 'label ' || label
                when task is not null then 'task ' || task else 'comment ' || reply_to end
            using errcode = 'SD001', hint = 'see: select * from smartdb.media, smartdb.label, smartdb.task_queue, smartdb.comment';
    end if;
    insert into core.comment (media_id, object_id, label_id, task_id, reply_to, actor_id, text)
    values (
        subject.media_id, subject.object_id, subject.label_id, subject.task_id, add_comment.reply_to, me,
        btrim(add_comment.text))
    returning comment_id into result;
    return result;
end
$$;
comment on function smartdb.add_comment(text, text, bigint, bigint, bigint, bigint) is
    'Writes a comment on a media, a label, a task, or in reply to another comment, and returns the comment_id. SD001 no such '
    'thing, SD002 an empty comment, or one on several things.';

-- example:
--   select smartdb.add_comment('ana', 'is this a dog?', label => 7) > 0
-- result:
--   True
