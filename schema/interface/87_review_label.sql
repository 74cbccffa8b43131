-- A reviewer's verdict on a label: accepted, corrected to a class, or rejected.
create function smartdb.review_label(
    label bigint, reviewer text, verdict text, class text default null, reason text default null,
    task bigint default null
)
returns bigint
language plpgsql volatile as $$
declare
    l core.label;
    me bigint := smartdb.person_id(reviewer);
    chosen bigint;
    corrected bigint;
    result bigint;
begin
    if verdict is null or verdict not in ('accepted', 'corrected', 'rejected')
        or (verdict = 'corrected') <> (class is not null) then
        raise exception 'verdict % with class %', coalesce(verdict, 'null'), coalesce(class, 'none')
            using errcode = 'SD002', hint = 'say accepted, rejected, or corrected with the class';
    end if;
    select k.* into l from core.label as k where k.label_id = label for update;
    if not found then
        raise exception 'no label %', label using errcode = 'SD001', hint = 'see: select * from smartdb.review_queue';
    elsif l.rev_to is not null then
        raise exception 'label % has changed meanwhile', label
            using errcode = 'SD005', hint = format('see: select * from smartdb.label where object_id = %s', l.object_id);
    elsif l.actor_id = me then
        raise exception 'label % is the reviewer''s own', label
            using errcode = 'SD002', hint = 'ask another reviewer';
    end if;
    if verdict = 'corrected' then
        chosen := smartdb.require_class(
            class, (select t.ontology from smartdb.ontology_tree as t where t.class_id = l.class_id)
        );
        if chosen = l.class_id then
            raise exception 'label % says % already', label, class
                using errcode = 'SD002', hint = 'accept it, or correct it to another class';
        end if;
    end if;
    if verdict <> 'accepted' then
        update core.label as k set rev_to = 0 where k.label_id = label;
    end if;
    if verdict = 'corrected' then
        insert into core.label (
            object_id, media_id, class_id, kind, x, y, w, h, shape, attributes, track_id, subject_id, target_id, origin, actor_id, task_id
        )
        values (
            l.object_id, l.media_id, chosen, l.kind, l.x, l.y, l.w, l.h, l.shape,
            l.attributes, l.track_id, l.subject_id, l.target_id, 'human', me, task
        )
        on conflict (media_id, actor_id, class_id) where rev_to is null and kind = 'classification' do nothing
        returning label_id into corrected;
        if corrected is null then  -- the reviewer has said the same of this media before
            select k.label_id into corrected from core.label as k
            where k.media_id = l.media_id and k.actor_id = me and k.class_id = chosen
                and k.kind = 'classification' and k.rev_to is null;
        end if;
    end if;
    -- who changes their mind withdraws the earlier verdict
    update core.review as r set rev_to = 0
    where r.label_id = label and r.reviewer_id = me and r.rev_to is null;
    insert into core.review (label_id, reviewer_id, verdict, corrected_label_id, reason, task_id)
    values (label, me, verdict, corrected, review_label.reason, task)
    returning review_id into result;
    update core.label_issue as i
    set state = case verdict when 'accepted' then 'dismissed' else 'confirmed' end
    where i.label_id = label and (i.state = 'open' or verdict <> 'accepted');
    update core.task as t
    set state = 'done', done_at = clock_timestamp(), lease_until = null, assignee_id = me,
        claimed_at = case when t.assignee_id = me then t.claimed_at end
    where t.kind = 'review' and t.label_id = label and t.state in ('open', 'claimed');
    if verdict = 'rejected' and l.kind = 'classification' and not exists (
        select from smartdb.media_class as c where c.media_id = l.media_id
    ) then
        insert into core.task (kind, media_id) values ('label', l.media_id)
        on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot) where state in ('open', 'claimed') do nothing;
    end if;
    return result;
end
$$;
comment on function smartdb.review_label(bigint, text, text, text, text, bigint) is
    'Records a reviewer''s verdict on a live label and returns the review_id: accepted, corrected (with the class: the label is '
    'replaced, its object stays) or rejected (it is closed, and a media left without a class becomes a label task). Settles its '
    'issues and review tasks; a later verdict of the same reviewer replaces the earlier. SD001 no such label or class, '
    'SD002 own label or bad verdict, SD005 it has changed meanwhile.';

-- example:
--   select smartdb.review_label(7, 'ana', 'accepted', reason => 'clearly a dog') > 0
-- result:
--   True
