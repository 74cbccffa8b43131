-- Takes a label back: closes its row, and nothing takes its place.
create function smartdb.remove_label(label bigint, actor text, reason text default null) returns void
language plpgsql volatile as $$
begin
    perform smartdb.own_label(label, actor);
    update core.label as k set rev_to = 0 where k.label_id = label;
    perform smartdb.note_edit(label, null, smartdb.person_id(actor), reason);
end
$$;
comment on function smartdb.remove_label(bigint, text, text) is
    'Closes a live label, for a reason; what it said stays in smartdb.label_history. Errors of smartdb.own_label.';

-- example:
--   select smartdb.remove_label(101, 'ana', 'nothing there'); select count(*) from smartdb.label
--   where label_id = 101
-- result:
--   0
