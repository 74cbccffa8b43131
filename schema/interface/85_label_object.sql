-- A state of a label as a label object, with who said it.
create function smartdb.label_object(label bigint) returns jsonb
language sql stable
begin atomic
    select jsonb_strip_nulls(jsonb_build_object(
        'label_id', l.label_id, 'object_id', l.object_id, 'media_id', l.media_id, 'class', l.class, 'kind', l.kind,
        'x', l.x, 'y', l.y, 'w', l.w, 'h', l.h, 'track_id', l.track_id, 'subject_id', l.subject_id, 'target_id', l.target_id,
        'confidence', l.confidence::numeric, 'origin', l.origin, 'actor', l.actor, 'created_at', l.created_at,
        'is_live', l.rev_to is null
    ))
    || case when l.shape is not null then jsonb_build_object('shape', l.shape) else '{}' end
    || case when l.attributes is not null then jsonb_build_object('attributes', l.attributes) else '{}' end
    from smartdb.label_history as l
    where l.label_id = label_object.label;
end;
comment on function smartdb.label_object(bigint) is
    'A state of a label as a label object (see smartdb.label_row), with its ids, origin, actor, created_at and is_live beside; null '
    'for an unknown one.';

-- example:
--   select o ->> 'class', o ->> 'actor', o ->> 'is_live' from smartdb.label_object(5) as o
-- result:
--   cat | folder names | false
