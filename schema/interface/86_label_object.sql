-- What a label row says, as a label object, for instance to bring back what an earlier row said.
create function smartdb.label_object(label bigint) returns jsonb
language sql stable parallel safe
begin atomic
    select jsonb_build_object(
        'class', h.class, 'kind', h.kind, 'x', h.x, 'y', h.y, 'w', h.w, 'h', h.h,
        'shape', h.shape, 'attributes', h.attributes, 'track_id', h.track_id)
    from smartdb.label_history as h where h.label_id = label;
end;
comment on function smartdb.label_object(bigint) is
    'What a row of a label says, as a label object: class, kind, x, y, w, h, shape, attributes, track_id.';

-- example:
--   select jsonb_strip_nulls(smartdb.label_object(7))
-- result:
--   {'kind': 'classification', 'class': 'dog'}
