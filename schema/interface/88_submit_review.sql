-- Answers a review task with a verdict.
create function smartdb.submit_review(
    task bigint, actor text, verdict text, class text default null, reason text default null
)
returns bigint
language plpgsql volatile as $$
declare
    t core.task := smartdb.require_lease(task, actor);
begin
    if t.kind <> 'review' then
        raise exception 'task % is a % task', task, t.kind
            using errcode = 'SD002', hint = 'answer it with smartdb.submit_label';
    end if;
    return smartdb.review_label(t.label_id, actor, verdict, class, reason, task);
end
$$;
comment on function smartdb.submit_review(bigint, text, text, text, text) is
    'Answers a review task that the actor holds; see review_label. SD004 if it is not leased to the actor.';

-- example:
--   select task_id from smartdb.claim_task('ana', 'review'); select smartdb.submit_review(4, 'ana',
--   'accepted') > 0
-- result:
--   True
