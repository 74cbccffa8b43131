-- Answers a label task with a class.
create function smartdb.submit_label(
    task bigint, actor text, class text, confidence real default null, ontology text default null
)
returns bigint
language plpgsql volatile as $$
declare
    t core.task := smartdb.require_lease(task, actor);
    chosen bigint;
    result bigint;
begin
    if t.kind <> 'label' then
        raise exception 'task % is a % task', task, t.kind
            using errcode = 'SD002', hint = 'answer it with smartdb.submit_review';
    end if;
    chosen := smartdb.require_class(class, coalesce((
        select p.ontology from smartdb.project as p where p.project_id = t.project_id
    ), ontology));
    insert into core.label (media_id, class_id, origin, actor_id, confidence, task_id)
    values (t.media_id, chosen, 'human', t.assignee_id, submit_label.confidence, task)
    on conflict (media_id, actor_id, class_id) where rev_to is null and kind = 'classification' do nothing
    returning label_id into result;
    if result is null then
        select l.label_id into result from core.label as l
        where l.media_id = t.media_id and l.actor_id = t.assignee_id and l.class_id = chosen
            and l.kind = 'classification' and l.rev_to is null;
    end if;
    perform smartdb.finish_task(task);
    return result;
end
$$;
comment on function smartdb.submit_label(bigint, text, text, real, text) is
    'Answers a label task that the actor holds with a class (and its ontology, where several have one of that name); returns the label_id. SD001 unknown task or class, SD004 not leased to the actor.';

-- example:
--   select task_id from smartdb.claim_task('ana'); select smartdb.submit_label(1, 'ana', 'dog')
--   > 0
-- result:
--   True
