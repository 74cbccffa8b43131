-- A label object read: the row of core.label that it asks for, save whose it is.
create function smartdb.label_row(label jsonb, is_new boolean default true) returns core.label
language plpgsql stable as $$
declare
    result core.label;
    wrong text;
begin
    if jsonb_typeof(label) is distinct from 'object' then
        raise exception 'a label is an object, not %', coalesce(jsonb_typeof(label), 'null')
            using errcode = 'SD002', hint = 'such as {"class": "dog", "kind": "box", "x": 3, "y": 4, "w": 10, "h": 8}';
    end if;
    label := jsonb_strip_nulls(label - 'shape' - 'attributes')
        || jsonb_strip_nulls(jsonb_build_object('shape', nullif(label -> 'shape', 'null')))
        || case when jsonb_typeof(label -> 'attributes') <> 'null' then jsonb_build_object('attributes', label -> 'attributes') else '{}' end;
    select k.key into wrong from jsonb_object_keys(label) as k (key)
    where k.key <> all ('{class,kind,x,y,w,h,shape,attributes,confidence,track_id,subject_id,target_id}') limit 1;
    if found then
        raise exception 'a label has no %', wrong
            using errcode = 'SD002', hint = 'it may have class, kind, x, y, w, h, shape, attributes, confidence, track_id, subject_id, target_id';
    end if;
    select f.key into wrong
    from jsonb_each(label) as f (key, value)
    where case
        when f.key in ('class', 'kind') then jsonb_typeof(f.value) <> 'string'
        when f.key in ('shape', 'attributes') then jsonb_typeof(f.value) <> 'object'
        when jsonb_typeof(f.value) <> 'number' then true
        when f.key in ('track_id', 'subject_id', 'target_id') then f.value::numeric % 1 <> 0 or abs(f.value::numeric) >= 2^63
        else abs(f.value::numeric) > 1e9 end
    limit 1;
    if found then
        raise exception '% cannot be %', wrong, label -> wrong
            using errcode = 'SD002', hint = 'class and kind are texts, shape and attributes objects, the rest numbers';
    end if;
    result := jsonb_populate_record(null::core.label, label - '{class,track_id,subject_id,target_id}'::text[]);
    result.track_id := (label ->> 'track_id')::numeric;
    result.subject_id := (label ->> 'subject_id')::numeric;
    result.target_id := (label ->> 'target_id')::numeric;
    result.kind := coalesce(result.kind, 'classification');
    if result.kind not in (
        'classification', 'box', 'rotated_box', 'polygon', 'mask', 'polyline', 'keypoints', 'caption', 'relation') then
        raise exception 'no kind of label %', result.kind
            using errcode = 'SD002', hint = 'say classification, box, rotated_box, polygon, mask, polyline, keypoints, caption or relation';
    end if;
    wrong := core.shape_problem(result.kind, null, null, null, null, result.shape);
    if wrong is null and result.shape is not null and result.kind <> 'caption' and num_nulls(result.x, result.y, result.w, result.h) > 0 then
        select b.xywh[1], b.xywh[2], b.xywh[3], b.xywh[4] into result.x, result.y, result.w, result.h
        from (select core.bounds_of(result.kind, result.shape) as xywh) as b;
    end if;
    wrong := coalesce(wrong, case
        when result.kind not in ('classification', 'relation', 'caption') and num_nulls(result.x, result.y, result.w, result.h) > 0
            then 'x, y, w and h are missing'
        when result.kind in ('classification', 'relation', 'caption') and num_nonnulls(result.x, result.y, result.w, result.h) > 0
            then 'it has no x, y, w, h'
        when result.kind = 'box' and not (result.w > 0 and result.h > 0) then 'it has no area'
        when result.w < 0 or result.h < 0 then 'its width or height is negative'
        when result.kind = 'relation' and num_nulls(result.subject_id, result.target_id) > 0
            then 'subject_id and target_id are missing'
        when result.kind = 'relation' and result.subject_id = result.target_id then 'both its ends are the same object'
        when result.kind <> 'relation' and num_nonnulls(result.subject_id, result.target_id) > 0
            then 'only a relation has subject_id and target_id'
        when not result.confidence between 0 and 1 then 'its confidence is not between 0 and 1'
    end, case when is_new then core.shape_problem(result.kind, result.x, result.y, result.w, result.h, result.shape) end);
    if wrong is not null then
        raise exception 'a % cannot be so: %', result.kind, wrong
            using errcode = 'SD002', hint = 'pixels of the upright picture; see the comment on core.label.shape';
    end if;
    return result;
end
$$;
comment on function smartdb.label_row(jsonb, boolean) is
    'The row of core.label that a label object asks for: {"class", "kind" (default classification), "x", "y", "w", "h", "shape", '
    '"attributes", "confidence", "track_id", "subject_id", "target_id"}. Its class is not looked up. Where a shape has no box, '
    'the box around it is taken; that a box is around its shape is judged if it is new. SD002 says what is wrong.';

-- example:
--   select kind, x, y, w, h from smartdb.label_row('{"kind": "polyline", "shape": {"points": [[3, 4], [9, 6]]}}')
-- result:
--   polyline | 3 | 4 | 6 | 2
