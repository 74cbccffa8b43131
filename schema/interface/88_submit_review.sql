-- Answers a review task, or one that asks an adjudicator, with a verdict.
create function smartdb.submit_review(
    task bigint, actor text, verdict text, class text default null, reason text default null,
    correction jsonb default null
)
returns bigint
language plpgsql volatile as $$
declare
    t core.task := smartdb.require_lease(task, actor);
begin
    if t.kind = 'adjudicate' then
        return smartdb.adjudicate(t.label_id, actor, verdict, class, reason, task, correction);
    elsif t.kind <> 'review' then
        raise exception 'task % is a % task', task, t.kind
            using errcode = 'SD002', hint = 'answer it with smartdb.submit_label';
    end if;
    return smartdb.review_label(t.label_id, actor, verdict, class, reason, task, correction);
end
$$;
comment on function smartdb.submit_review(bigint, text, text, text, text, jsonb) is
    'Answers a task that the actor holds: a review as review_label, a dispute as adjudicate. SD004 if it is not leased to the actor.';

-- example:
--   select task_id from smartdb.claim_task('ana', 'review'); select smartdb.submit_review(4, 'ana',
--   'accepted') > 0
-- result:
--   True
