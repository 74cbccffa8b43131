-- Who changed or removed which label, when and why, with what it was and became.
create view smartdb.label_edit as
select
    e.edit_id, e.media_id, b.object_id, e.label_id, e.new_label_id, a.name as actor, e.actor_id, e.reason, e.created_at,
    b.actor as actor_before, b.origin as origin_before, b.kind, b.class as class_before, n.class as class_after,
    case
        when n.label_id is null then '{removed}'
        else array_remove(array[
            case when n.class_id <> b.class_id then 'class' end,
            case when n.kind <> b.kind then 'kind' end,
            case when (n.x, n.y, n.w, n.h) is distinct from (b.x, b.y, b.w, b.h) then 'box' end,
            case when n.shape is distinct from b.shape then 'shape' end,
            case when n.attributes is distinct from b.attributes then 'attributes' end,
            case when n.track_id is distinct from b.track_id then 'track' end,
            case when (n.subject_id, n.target_id) is distinct from (b.subject_id, b.target_id) then 'ends' end
        ], null)
    end as changed
from core.label_edit as e
join smartdb.label_history as b on b.label_id = e.label_id
left join smartdb.label_history as n on n.label_id = e.new_label_id
left join core.actor as a on a.actor_id = e.actor_id;

comment on view smartdb.label_edit is
    'Each change of a label by a person: who, when, why; before and after are the rows label_id and new_label_id of smartdb.label_history.';
comment on column smartdb.label_edit.edit_id is 'Identity of the edit.';
comment on column smartdb.label_edit.media_id is 'The labelled media.';
comment on column smartdb.label_edit.object_id is 'The labelled thing, the same before and after.';
comment on column smartdb.label_edit.label_id is 'The state before.';
comment on column smartdb.label_edit.new_label_id is 'The state after; null: the label was removed.';
comment on column smartdb.label_edit.actor is 'Who changed it.';
comment on column smartdb.label_edit.actor_id is 'Identity of who changed it.';
comment on column smartdb.label_edit.reason is 'Why.';
comment on column smartdb.label_edit.created_at is 'When.';
comment on column smartdb.label_edit.actor_before is 'Whose word it was before.';
comment on column smartdb.label_edit.origin_before is 'And of what origin.';
comment on column smartdb.label_edit.kind is 'Kind of the label before.';
comment on column smartdb.label_edit.class_before is 'Its class before.';
comment on column smartdb.label_edit.class_after is 'Its class after; null: removed.';
comment on column smartdb.label_edit.changed is
    'What differs: class, kind, box, shape, attributes, track, ends; {} is another''s label said again, or only the confidence; {removed}.';

-- example:
--   select smartdb.edit_label(103, 'ana', '{"w": 9}', 'the tail too'); select actor, actor_before,
--   class_before, changed, reason from smartdb.label_edit
-- result:
--   ana | folder names | cat | ['box'] | the tail too
