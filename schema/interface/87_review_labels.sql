-- One verdict on many labels, or on none of them if one cannot be judged.
create function smartdb.review_labels(
    labels bigint[], reviewer text, verdict text, reason text default null
)
returns bigint
language plpgsql volatile as $$
declare
    me constant bigint := smartdb.person_id(reviewer);
    result bigint;
begin
    if verdict is null or verdict not in ('accepted', 'rejected') then
        raise exception 'verdict % on many labels', coalesce(verdict, 'null')
            using errcode = 'SD002', hint = 'say accepted or rejected; correct them one by one: smartdb.review_label';
    end if;
    insert into core.review (label_id, reviewer_id, verdict, reason)
    select l.label_id, me, verdict, review_labels.reason
    from (select distinct u.label_id from unnest(labels) as u (label_id)) as l
    order by l.label_id;
    get diagnostics result = row_count;
    return result;
end
$$;
comment on function smartdb.review_labels(bigint[], text, text, text) is
    'Accepts or rejects many labels in one statement and returns how many; all or none. Errors as of review_label; labels that '
    'the reviewer has judged before are refused (SD007).';

-- example:
--   select smartdb.review_labels('{7,8}', 'ana', 'accepted', 'looked at both')
-- result:
--   2
