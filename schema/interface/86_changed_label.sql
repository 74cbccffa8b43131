-- A label row as it would be with changes: a label object that says only what is to be another.
create function smartdb.changed_label(label bigint, changes jsonb) returns core.label
language plpgsql stable as $$
declare
    l core.label;
    result core.label;
    unknown text;
begin
    select * into l from core.label as k where k.label_id = label;
    if not found then
        raise exception 'no label %', label using errcode = 'SD001', hint = 'see: select * from smartdb.label_history';
    elsif jsonb_typeof(changes) is distinct from 'object' or changes = '{}' then
        raise exception 'no changes of label %: %', label, coalesce(changes::text, 'null')
            using errcode = 'SD002', hint = 'give what is to be another, such as {"class": "dog"}';
    end if;
    select k.key into unknown from jsonb_object_keys(changes) as k (key)
    where k.key not in ('class', 'kind', 'x', 'y', 'w', 'h', 'shape', 'attributes', 'track_id', 'confidence')
    order by k.key limit 1;
    if unknown is not null then
        raise exception 'a label has no %', unknown
            using errcode = 'SD002', hint = 'say class, kind, x, y, w, h, shape, attributes, track_id';
    end if;
    begin
        result := jsonb_populate_record(l, changes - 'class' - 'confidence');
    exception when data_exception then
        raise exception 'the changes of label % do not fit: %', label, sqlerrm
            using errcode = 'SD002', hint = 'x, y, w, h are numbers, shape and attributes objects';
    end;
    if changes ? 'class' then
        result.class_id := smartdb.require_class(
            changes ->> 'class', (select t.ontology from smartdb.ontology_tree as t where t.class_id = l.class_id)
        );
    end if;
    if result = l then
        raise exception 'label % says % already', label, coalesce(changes ->> 'class', 'that')
            using errcode = 'SD002', hint = 'accept it, or correct it to what is right';
    end if;
    return result;
end
$$;
comment on function smartdb.changed_label(bigint, jsonb) is
    'The label row with the changes of a label object (class, kind, x, y, w, h, shape, attributes, track_id; null takes '
    'away), not written anywhere. SD001 no such label or class, SD002 for changes that change nothing or make no sense.';

-- example:
--   select class_id from smartdb.changed_label(7, '{"class": "cat"}')
-- result:
--   2
