-- Whether two label rows say the same, whoever says it.
create function smartdb.says_the_same(a core.label, b core.label) returns boolean
language sql immutable
begin atomic
    select (
        a.class_id, a.kind, a.x, a.y, a.w, a.h, a.shape, a.attributes, a.track_id, a.subject_id, a.target_id
    ) is not distinct from (
        b.class_id, b.kind, b.x, b.y, b.w, b.h, b.shape, b.attributes, b.track_id, b.subject_id, b.target_id
    );
end;
comment on function smartdb.says_the_same(core.label, core.label) is
    'Whether two label rows have the same class, kind, place, attributes, track and ends; whose they are does not count.';

-- example:
--   select smartdb.says_the_same(a, b) from core.label as a, core.label as b
--   where a.label_id = 1 and b.label_id in (2, 6) order by b.label_id
-- result:
--   True
--   False
