-- A label row as it would be with changes, or as a whole label object says: what a correction makes of it.
create function smartdb.changed_label(label bigint, changes jsonb) returns core.label
language plpgsql stable as $$
declare
    aside constant text[] := '{label_id,object_id,media_id,origin,actor,created_at,is_live,confidence}';
    l core.label;
    wanted jsonb;
    result core.label;
begin
    select * into l from core.label as k where k.label_id = label;
    if not found then
        raise exception 'no label %', label using errcode = 'SD001', hint = 'see: select * from smartdb.label_history';
    elsif jsonb_typeof(changes) is distinct from 'object' then
        raise exception 'changes are an object, not %', coalesce(jsonb_typeof(changes), 'null')
            using errcode = 'SD002', hint = 'such as {"class": "dog"}';
    end if;
    wanted := case when changes ? 'object_id' then '{}' else smartdb.label_object(label) end - aside;
    result := smartdb.label_with(l, wanted, changes - aside);
    if smartdb.says_the_same(result, l) then
        raise exception 'label % says % already', label, coalesce(changes ->> 'class', 'that')
            using errcode = 'SD002', hint = 'accept it, or correct it to what is right';
    end if;
    return result;
end
$$;
comment on function smartdb.changed_label(bigint, jsonb) is
    'The label row with the changes of a label object, not written anywhere; or, given what smartdb.label_object says of an '
    'earlier row, all as it was there. SD001 no such label or class, SD002 for changes that change nothing or cannot be.';

-- example:
--   select class_id from smartdb.changed_label(7, '{"class": "cat"}')
-- result:
--   2
