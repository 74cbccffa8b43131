-- Keeps who changed a label, and why.
create function smartdb.note_edit(label bigint, new_label bigint, editor bigint, reason text) returns void
language sql
begin atomic
    insert into core.label_edit (media_id, label_id, new_label_id, actor_id, reason)
    select l.media_id, label, new_label, editor, nullif(btrim(note_edit.reason), '')
    from core.label as l where l.label_id = label;
    update core.task as t set state = 'skipped', done_at = clock_timestamp()
    where t.kind in ('review', 'adjudicate') and t.label_id = label and t.state = 'open';
end;
comment on function smartdb.note_edit(bigint, bigint, bigint, text) is
    'Writes that an actor closed a label, in favour of another or of none, and why; waiting tasks that ask about the closed row end.';

-- example:
--   select smartdb.note_edit(9, null, 2, 'there is no dog'); select reason from smartdb.label_edit where label_id = 9
-- result:
--   there is no dog
