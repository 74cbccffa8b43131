-- Changes a label: closes the row that one saw and opens the next of the same object.
create function smartdb.edit_label(label bigint, actor text, changes jsonb, reason text default null) returns bigint
language plpgsql volatile as $$
declare
    me constant bigint := smartdb.person_id(actor);
    l core.label;
    wanted jsonb;
    n core.label;
    result bigint;
begin
    if jsonb_typeof(changes) is distinct from 'object' then
        raise exception 'changes are an object, not %', coalesce(jsonb_typeof(changes), 'null')
            using errcode = 'SD002', hint = 'such as {"class": "dog"}';
    end if;
    l := smartdb.own_label(label, actor, changes);
    wanted := smartdb.label_object(label) - '{label_id,object_id,media_id,origin,actor,created_at,is_live}'::text[];
    if l.actor_id <> me then -- how sure the other was
        wanted := wanted - 'confidence';
    end if;
    n := smartdb.label_with(l, wanted, changes);
    if smartdb.says_the_same(n, l)
        and (not changes ? 'confidence' or n.confidence is not distinct from l.confidence) then
        return label; -- that is what it says
    end if;
    if n.kind = 'classification' and exists (
        select from core.label as k
        where k.media_id = l.media_id and k.actor_id = me and k.class_id = n.class_id and k.kind = 'classification'
            and k.rev_to is null and k.label_id <> label
    ) then
        raise exception '% says so of media % already', actor, l.media_id
            using errcode = 'SD005', hint = 'remove this label instead: smartdb.remove_label';
    end if;
    update core.label as k set rev_to = 0 where k.label_id = label;
    insert into core.label (
        object_id, media_id, class_id, kind, x, y, w, h, shape, attributes, track_id, subject_id, target_id,
        origin, actor_id, confidence, task_id
    )
    values (
        l.object_id, l.media_id, n.class_id, n.kind, n.x, n.y, n.w, n.h, n.shape, n.attributes, n.track_id, n.subject_id, n.target_id,
        'human', me, n.confidence, case when l.actor_id = me then l.task_id end
    )
    returning label_id into result;
    perform smartdb.note_edit(label, result, me, reason);
    return result;
end
$$;
comment on function smartdb.edit_label(bigint, text, jsonb, text) is
    'Changes a live label to what the changes say (keys of a label object; attributes as a whole; null takes away) and returns the '
    'label_id of its new state, which is the actor''s word: the object stays, and whose word it was stays in smartdb.label_history. '
    'Unchanged, it returns the label given. Errors of smartdb.own_label, SD005 with both versions for a stale one, and of smartdb.label_row.';

-- example:
--   select smartdb.edit_label(101, 'ana', '{"w": 11}', 'the tail too') <> 101
-- result:
--   True
