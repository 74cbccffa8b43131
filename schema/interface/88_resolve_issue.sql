-- A reviewer's answer to a suspicion, also to one about a label that is not there.
create function smartdb.resolve_issue(
    issue bigint, reviewer text, verdict text, correction jsonb default null, reason text default null
)
returns bigint
language plpgsql volatile as $$
declare
    me constant bigint := smartdb.person_id(reviewer);
    i core.label_issue;
    says jsonb;
    added bigint;
begin
    select * into i from core.label_issue as k where k.issue_id = issue for update;
    if not found then
        raise exception 'no issue %', issue using errcode = 'SD001', hint = 'see: select * from smartdb.review_queue';
    elsif verdict is null or verdict not in ('confirmed', 'dismissed') or (verdict = 'dismissed' and correction is not null) then
        raise exception 'verdict % on issue %', coalesce(verdict, 'null'), issue
            using errcode = 'SD002', hint = 'say confirmed (also with a correction) or dismissed';
    elsif i.state <> 'open' then
        raise exception 'issue % was % before', issue, i.state
            using errcode = 'SD005', hint = 'see: select * from smartdb.label_issue where issue_id = ' || issue;
    end if;
    says := nullif(jsonb_strip_nulls(jsonb_build_object('class', (
        select c.class from smartdb.ontology_class as c where c.class_id = i.suggested_class_id
    ))) || coalesce(i.suggestion, '{}') - 'confidence' || coalesce(correction, '{}'), '{}');
    if i.label_id is not null then
        perform smartdb.review_label(
            i.label_id, reviewer,
            case when verdict = 'dismissed' then 'accepted' when says is null then 'rejected' else 'corrected' end,
            reason => reason, correction => case verdict when 'confirmed' then says end);
        return (select v.corrected_label_id from smartdb.review as v where v.label_id = i.label_id and v.reviewer = resolve_issue.reviewer);
    end if;
    if verdict = 'confirmed' then
        select a.label_id into added
        from smartdb.add_labels(i.media_id, reviewer, jsonb_build_array(says)) as a (label_id);
    end if;
    update core.label_issue as k
    set state = verdict, decided_by = me, decided_at = clock_timestamp(), reason = resolve_issue.reason, new_label_id = added
    where k.issue_id = issue;
    return added;
end
$$;
comment on function smartdb.resolve_issue(bigint, text, text, jsonb, text) is
    'Answers a suspicion. confirmed: the label becomes what the suspicion suggests (with the changes of correction, a label '
    'object), or is rejected where it suggests nothing; a label that was overlooked is added in the reviewer''s name. '
    'dismissed: all stays, a suspected label counts as accepted. Returns the label_id that was written, null if none. '
    'SD001 no such issue, SD002 a bad verdict, SD005 decided before; else as review_label and add_labels.';

-- example:
--   select smartdb.resolve_issue(3, 'ana', 'dismissed', reason => 'a dog, seen from behind')
-- result:
--   None
