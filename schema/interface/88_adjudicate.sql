-- Settles a dispute about a label, for good.
create function smartdb.adjudicate(
    label bigint, adjudicator text, verdict text, class text default null, reason text default null,
    task bigint default null, correction jsonb default null
)
returns bigint
language plpgsql volatile as $$
declare
    me constant bigint := smartdb.person_id(adjudicator);
    changes constant jsonb := smartdb.verdict_changes(verdict, class, correction);
begin
    perform core.lock_label(label);
    if (core.last_verdict(label)).state is distinct from 'disputed' then
        raise exception 'label % is %, not disputed', label, coalesce((core.last_verdict(label)).state, 'unreviewed')
            using errcode = 'SD007', hint = 'see: select * from smartdb.disputed';
    end if;
    return smartdb.give_verdict(label, me, verdict, changes, reason, task);
end
$$;
comment on function smartdb.adjudicate(bigint, text, text, text, text, bigint, jsonb) is
    'Settles the dispute about a label and returns the review_id: accepted (it stands as it is; if it had been closed, it is '
    'opened again), corrected (with the class or a label object, for instance smartdb.label_object of an earlier row) or '
    'rejected. Final until somebody edits the label. SD002 for an adjudicator who wrote or judged it before, SD007 if it is '
    'not disputed; else as review_label.';

-- example:
--   select smartdb.dispute(5, 'bo', 'short ears') > 0; select smartdb.adjudicate(label_id, 'cy',
--   'accepted') > 0 from smartdb.disputed
-- result:
--   True
