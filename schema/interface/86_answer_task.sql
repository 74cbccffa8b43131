-- Writes the labels that answer a task, and ends it; raises where submit_task refuses.
create function smartdb.answer_task(task bigint, actor text, labels jsonb, seconds real default null) returns bigint[]
language plpgsql volatile as $$
declare
    t constant core.task := smartdb.require_lease(task, actor);
    asks core.project;
    strange text;
    written bigint[];
begin
    select p.* into asks from core.project as p where p.project_id = t.project_id;
    if t.kind <> 'label' then
        raise exception 'task % is a % task', task, t.kind
            using errcode = 'SD002', hint = 'answer it with smartdb.submit_review';
    elsif labels is null or jsonb_typeof(labels) <> 'array' then
        raise exception 'an answer is a list of labels, not %', coalesce(jsonb_typeof(labels), 'null')
            using errcode = 'SD002', hint = 'such as [{"class": "cat"}]';
    elsif jsonb_array_length(labels) = 0 and coalesce(asks.kinds, '{classification}') = '{classification}' then
        raise exception 'the answer to task % is empty', task
            using errcode = 'SD002', hint = 'say a class, or skip it with the reason';
    end if;
    select coalesce(l.value ->> 'kind', 'classification') into strange
    from jsonb_array_elements(labels) as l (value)
    where coalesce(l.value ->> 'kind', 'classification') <> all (asks.kinds) limit 1;
    if found then
        raise exception 'project % does not ask for labels of kind %', asks.name, strange
            using errcode = 'SD002', hint = 'it asks for ' || array_to_string(asks.kinds, ', ');
    end if;
    written := array(select a.label_id from smartdb.add_labels(
        t.media_id, actor, labels, (select o.name from core.ontology as o where o.ontology_id = asks.ontology_id), task
    ) as a (label_id));
    perform smartdb.finish_task(task, seconds);
    return written;
end
$$;
comment on function smartdb.answer_task(bigint, text, jsonb, real) is
    'Writes the labels that answer a task and returns their label_ids; all or nothing. Use submit_task, which keeps what is refused: '
    'this raises SD001 for an unknown task or class, SD002 for labels that cannot be or that the project does not ask for, SD004 if it '
    'is not leased to the actor.';

-- example:
--   select task_id from smartdb.claim_task('ana'); select cardinality(smartdb.answer_task(1, 'ana', '[{"class": "dog"}]'))
-- result:
--   1
