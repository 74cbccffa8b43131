-- A reviewer's verdict on a label: accepted, corrected to something else, or rejected.
create function smartdb.review_label(
    label bigint, reviewer text, verdict text, class text default null, reason text default null,
    task bigint default null, correction jsonb default null
)
returns bigint
language plpgsql volatile as $$
declare
    me constant bigint := smartdb.person_id(reviewer);
    changes constant jsonb := smartdb.verdict_changes(verdict, class, correction);
begin
    perform core.lock_label(label);
    if (core.last_verdict(label)).state = 'disputed' then
        raise exception 'label % is disputed', label
            using errcode = 'SD007', hint = 'who neither wrote nor reviewed it settles it: smartdb.adjudicate';
    end if;
    -- who changes their mind withdraws the earlier verdict
    update core.review as r set rev_to = 0
    where r.label_id = label and r.reviewer_id = me and r.rev_to is null and r.state = 'accepted';
    return smartdb.give_verdict(label, me, verdict, changes, reason, task);
end
$$;
comment on function smartdb.review_label(bigint, text, text, text, text, bigint, jsonb) is
    'Records a reviewer''s verdict on a live label and returns the review_id: accepted, corrected (with the class, or as '
    'correction a label object of all that is to be another, geometry and attributes too: the label is replaced, its object '
    'stays) or rejected (it is closed, and a media left without a class becomes a label task). Settles its issues and review '
    'tasks; a later verdict of the same reviewer replaces the earlier. If another reviewer said otherwise, the label stands '
    'and is disputed. SD001 no such label or class, SD002 own label or bad verdict, SD005 it has changed meanwhile, SD007 its '
    'state allows no such verdict.';

-- example:
--   select smartdb.review_label(7, 'ana', 'accepted', reason => 'clearly a dog') > 0
-- result:
--   True
