-- All that happened to a label, in order: who, when, why, and what it said before and after.
create function smartdb.label_story(object bigint)
returns table (
    revision bigint, at timestamptz, event text, actor text, reason text, label_id bigint, before jsonb, after jsonb
)
language sql stable
begin atomic
    with state as (
        select h.label_id, h.rev_from, h.created_at, h.actor, h.label_id = min(h.label_id) over () as is_first
        from smartdb.label_history as h where h.object_id = label_story.object
    ),
    verdict as (
        select r.* from smartdb.review_history as r where r.object_id = label_story.object
    ),
    edit as (
        select d.* from smartdb.label_edit as d where d.object_id = label_story.object
    ),
    event as (
        select
            s.rev_from as revision, s.created_at as at, case when s.is_first then 'labelled' else 'said again' end as event,
            s.actor, null as reason, s.label_id, null::bigint as before_id, s.label_id as after_id, null::jsonb as proposal
        from state as s
        where not exists (select from edit as d where d.new_label_id = s.label_id)
            and not exists (select from verdict as v where v.corrected_label_id = s.label_id)
        union all
        select
            h.rev_to, d.created_at, case when d.new_label_id is null then 'removed' else 'edited' end,
            d.actor, d.reason, d.label_id, d.label_id, d.new_label_id, null
        from edit as d join smartdb.label_history as h on h.label_id = d.label_id
        union all
        select
            v.rev_from, v.created_at,
            case
                when v.state = 'adjudicated' then 'adjudicated: ' || v.verdict
                when v.state = 'disputed' and v.verdict <> 'disputed' then 'disputed: ' || v.verdict
                else v.verdict end,
            v.reviewer, v.reason, v.label_id, v.label_id,
            case when v.state = 'disputed' or (v.verdict = 'accepted' and v.corrected_label_id is null)
                then v.label_id else v.corrected_label_id end,
            v.correction
        from verdict as v
        union all
        select v.rev_to, null, 'withdrawn: ' || v.verdict, v.reviewer, null, v.label_id, v.corrected_label_id, v.label_id, null
        from verdict as v where v.rev_to is not null
        union all
        select null, c.created_at, 'comment', c.actor, c.text, c.label_id, null, null, null
        from smartdb.comment as c where c.object_id = label_story.object
        union all
        select null, i.created_at, 'suspected: ' || i.kind, null, null, i.label_id, i.label_id, i.label_id, coalesce(
            i.suggestion, case when i.suggested_class is not null then jsonb_build_object('class', i.suggested_class) end)
        from state as s join smartdb.label_issue as i on i.label_id = s.label_id
    )
    select
        e.revision, e.at, e.event, e.actor, e.reason, e.label_id, smartdb.label_object(e.before_id),
        case when e.proposal is null then smartdb.label_object(e.after_id) else e.proposal end
    from event as e
    order by
        coalesce(e.revision, (select max(f.revision) from event as f where f.at <= e.at), 0),
        e.revision is null, e.at, e.event;
end;
comment on function smartdb.label_story(bigint) is
    'All that happened to a label, by the object_id that its rows share, in order: labelled, edited, removed, suspected, commented, '
    'judged, disputed, adjudicated, withdrawn; who, when (null for a withdrawal, whose revision tells the order), why, the row '
    'it was about, and what it said before and after (of a suspicion or a dispute: what it would be).';

-- example:
--   select event, actor, reason, before ->> 'class', after ->> 'class' from smartdb.label_story(5)
--   order by revision nulls last, event
-- result:
--   labelled | folder names | None | None | cat
--   corrected | ana | long ears | cat | dog
--   comment | ana | the ears are a dog's | None | None
--   suspected: swapped | None | None | cat | dog
