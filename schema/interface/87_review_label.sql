-- A reviewer's verdict on a label: accepted, corrected to a class, or rejected.
create function smartdb.review_label(
    label bigint, reviewer text, verdict text, class text default null, reason text default null,
    task bigint default null
)
returns bigint
language plpgsql volatile as $$
declare
    l core.label;
    me bigint;
    corrected bigint;
    result bigint;
begin
    if verdict not in ('accepted', 'corrected', 'rejected') or (verdict = 'corrected') <> (class is not null) then
        raise exception 'verdict % with class %', verdict, coalesce(class, 'none')
            using errcode = 'SD002', hint = 'say accepted, rejected, or corrected with the class';
    end if;
    select * into l from core.label as k where k.label_id = label for update;
    if not found then
        raise exception 'no label %', label using errcode = 'SD001', hint = 'see: select * from smartdb.review_queue';
    elsif l.rev_to is not null then
        raise exception 'label % has changed meanwhile', label
            using errcode = 'SD005', hint = format('see: select * from smartdb.label where object_id = %s', l.object_id);
    end if;
    insert into core.actor (name, kind) values (reviewer, 'person')
    on conflict on constraint actor_name_key do update set name = excluded.name returning actor_id into me;
    if verdict <> 'accepted' then
        update core.label as k set rev_to = 0 where k.label_id = label;
    end if;
    if verdict = 'corrected' then
        insert into core.label (
            object_id, media_id, class_id, kind, x, y, w, h, shape, attributes, track_id, origin, actor_id, task_id
        )
        values (
            l.object_id, l.media_id,
            smartdb.require_class(class, (
                select t.ontology from smartdb.ontology_tree as t where t.class_id = l.class_id
            )), l.kind, l.x, l.y, l.w, l.h, l.shape,
            l.attributes, l.track_id, 'human', me, task
        )
        returning label_id into corrected;
    end if;
    insert into core.review (label_id, reviewer_id, verdict, corrected_label_id, reason, task_id)
    values (label, me, verdict, corrected, review_label.reason, task)
    returning review_id into result;
    update core.label_issue as i
    set state = case verdict when 'accepted' then 'dismissed' else 'confirmed' end
    where i.label_id = label and i.state = 'open';
    update core.task as t set state = 'done', done_at = clock_timestamp(), lease_until = null
    where t.kind = 'review' and t.label_id = label and t.state in ('open', 'claimed');
    return result;
end
$$;
comment on function smartdb.review_label(bigint, text, text, text, text, bigint) is
    'Records a reviewer''s verdict on a live label and returns the review_id: accepted, corrected (with the class: the label is '
    'replaced, its object stays) or rejected (it is closed). Settles its issues and review tasks. SD001 no such label or class, '
    'SD002 own label or bad verdict, SD005 it has changed meanwhile.';
