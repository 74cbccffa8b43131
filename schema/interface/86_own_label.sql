-- A live label that the actor may change, locked; what editing and removing check first.
create function smartdb.own_label(label bigint, actor text, yours jsonb default null) returns core.label
language plpgsql volatile as $$
declare
    l core.label;
    now_id bigint;
    e smartdb.label_edit;
begin
    select k.* into l from core.label as k where k.label_id = label for update;
    if not found then
        raise exception 'no label %', label
            using errcode = 'SD001', hint = 'its media may be hidden from you; see: select * from smartdb.label';
    end if;
    perform smartdb.require_media(l.media_id);
    if l.rev_to is not null then
        select k.label_id into now_id from core.label as k where k.object_id = l.object_id and k.rev_to is null;
        select d.* into e from smartdb.label_edit as d where d.object_id = l.object_id order by d.edit_id desc limit 1;
        raise exception 'label % was % meanwhile%', label, case when now_id is null then 'removed' else 'changed' end,
            coalesce(' by ' || e.actor, '') || coalesce(': ' || e.reason, '')
            using errcode = 'SD005', hint = format('see: select * from smartdb.label_history where object_id = %s', l.object_id),
            detail = jsonb_build_object(
                'base', smartdb.label_object(label), 'theirs', smartdb.label_object(now_id),
                'yours', (smartdb.label_object(label) - '{is_live,created_at,origin,actor,label_id}'::text[]) || yours);
    end if;
    if l.origin = 'human' and l.actor_id <> smartdb.person_id(actor)
        and not pg_has_role(current_user, 'smartdb_reviewer', 'usage') and not pg_has_role(current_user, 'smartdb_writer', 'usage') then
        raise exception 'label % is what % says', label, (select a.name from smartdb.actor as a where a.actor_id = l.actor_id)
            using errcode = 'SD006', hint = 'say what you see in a label of your own, or ask a reviewer';
    end if;
    return l;
end
$$;
comment on function smartdb.own_label(bigint, text, jsonb) is
    'The live label, locked, if the actor may change it: their own, or one that no person said; a reviewer may change any. SD001 no such '
    'label, SD006 another person''s. SD005 if it was changed meanwhile: the detail is JSON, {"base": what was seen, "theirs": what it '
    'is now (null: removed), "yours": what it would have become}.';

-- example:
--   select label_id, kind from smartdb.own_label(1, 'ana')
-- result:
--   1 | classification
