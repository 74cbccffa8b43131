-- Writes a verdict and the label row that takes the judged one's place; what review_label and
-- adjudicate do alike.
create function smartdb.give_verdict(
    label bigint, judge bigint, verdict text, correction jsonb default null, reason text default null, task bigint default null
)
returns bigint
language plpgsql volatile as $$
declare
    l constant core.label := core.lock_label(label);
    next_state constant text := (
        select t.next_state from core.review_transition as t
        where t.state = coalesce((core.last_verdict(label)).state, 'unreviewed') and t.verdict = give_verdict.verdict);
    changed core.label;
    placed bigint;
    result bigint;
begin
    if verdict = 'corrected' then
        changed := smartdb.changed_label(l.label_id, correction);
        if next_state <> 'disputed' then
            if l.rev_to is null then
                update core.label as k set rev_to = 0 where k.label_id = label;
            end if;
            insert into core.label (
                object_id, media_id, class_id, kind, x, y, w, h, shape, attributes, track_id,
                subject_id, target_id, origin, actor_id, task_id
            )
            values (
                l.object_id, l.media_id, changed.class_id, changed.kind, changed.x, changed.y, changed.w, changed.h,
                changed.shape, changed.attributes, changed.track_id,
                changed.subject_id, changed.target_id, 'human', judge, task
            )
            on conflict (media_id, actor_id, class_id) where rev_to is null and kind = 'classification' do nothing
            returning label_id into placed;
            if placed is null then  -- the reviewer has said the same of this media before
                select k.label_id into placed from core.label as k
                where k.media_id = l.media_id and k.actor_id = judge and k.class_id = changed.class_id
                    and k.kind = 'classification' and k.rev_to is null;
            end if;
        end if;
    elsif verdict = 'accepted' and next_state = 'adjudicated' and l.rev_to is not null then
        placed := core.reopen_label(label);
    end if;
    insert into core.review (label_id, reviewer_id, verdict, correction, corrected_label_id, reason, task_id)
    values (
        label, judge, verdict, case when next_state = 'disputed' then correction end, placed, give_verdict.reason, task
    )
    returning review_id into result;
    return result;
end
$$;
comment on function smartdb.give_verdict(bigint, bigint, text, jsonb, text, bigint) is
    'Writes the verdict of an actor on a label and what it makes of the label, and returns the review_id; call review_label or '
    'adjudicate, which see to it that the verdict makes sense.';

-- example:
--   select smartdb.give_verdict(7, 2, 'accepted') > 0
-- result:
--   True
