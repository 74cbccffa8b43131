-- Objects to the last verdict on a label; an adjudicator is asked.
create function smartdb.dispute(label bigint, actor text, reason text) returns bigint
language plpgsql volatile as $$
declare
    me constant bigint := smartdb.person_id(actor);
    newest constant bigint := (
        select max(k.label_id) from core.label as l join core.label as k on k.object_id = l.object_id
        where l.label_id = label);
    result bigint;
begin
    if coalesce(btrim(reason), '') = '' then
        raise exception 'a dispute of label % needs a reason', label
            using errcode = 'SD002', hint = 'say why the verdict is wrong';
    end if;
    insert into core.review (label_id, reviewer_id, verdict, reason)
    values (coalesce(newest, label), me, 'disputed', dispute.reason)
    returning review_id into result;
    return result;
end
$$;
comment on function smartdb.dispute(bigint, text, text) is
    'Objects to the last verdict on a label, given by any of its rows, and returns the review_id: its author may, and any '
    'reviewer but who gave the verdict. The label stays as the verdict left it until smartdb.adjudicate. SD001 no such label, '
    'SD002 without a reason, SD007 where there is no verdict to object to, or it is one''s own or final.';

-- example:
--   select smartdb.dispute(5, 'bo', 'short ears') > 0
-- result:
--   True
