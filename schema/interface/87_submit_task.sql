-- Answers a label task with a list of labels; what is refused is kept.
create function smartdb.submit_task(
    task bigint, actor text, labels jsonb, key text default null, seconds real default null
)
returns table (submission_id bigint, state text, label_ids bigint[], sqlstate text, reason text)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    me constant bigint := smartdb.person_id(actor);
    told constant text := coalesce(nullif(submit_task.key, ''), md5(submit_task.labels::text), 'null');
    kept core.submission;
    written bigint[];
    problem text;
    code text;
    hint text;
begin
    -- whoever sends the same at the same time waits here, and is then given the same answer
    perform from core.task as k where k.task_id = task for update;
    select s.* into kept from core.submission as s
    where s.actor_id = me and s.task_id = task and s.key = told and s.state = 'accepted';
    if not found then
        begin
            written := smartdb.answer_task(task, actor, submit_task.labels, submit_task.seconds);
        exception when others then
            get stacked diagnostics code = returned_sqlstate, problem = message_text, hint = pg_exception_hint;
            if code !~ '^(SD|22|23)' then
                raise; -- the server failed, not the answer
            end if;
            problem := concat_ws('; ', problem, nullif(hint, ''));
        end;
        kept := core.keep_submission(task, me, told, submit_task.labels, written, submit_task.seconds, code, problem);
    end if;
    return query select kept.submission_id, kept.state, kept.label_ids, kept.sqlstate, kept.reason;
end
$$;
comment on function smartdb.submit_task(bigint, text, jsonb, text, real) is
    'Answers a label task that the actor holds with a list of label objects (see add_labels; an empty list says that there is nothing), and '
    'returns state accepted with the label_ids, or refused with the SQLSTATE and the reason. A refusal raises nothing: the answer is kept '
    'in smartdb.submission until it is sent again. The same key (without one, the same labels) sent again gives the '
    'same answer, and a refused one is tried again. seconds is what the person worked on it. Raises SD002 only if the actor is no person.';

-- example:
--   select task_id from smartdb.claim_task('ana'); select state, cardinality(label_ids) from smartdb.submit_task(1,
--   'ana', '[{"class": "dog"}]'); select state, sqlstate, reason from smartdb.submit_task(1, 'cy', '[{"class":
--   "dog"}]')
-- result:
--   refused | SD004 | task 1 is done, not leased to cy; claim a task again
