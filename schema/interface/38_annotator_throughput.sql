-- How much each actor labelled and reviewed, and how long a task took.
create view smartdb.annotator_throughput as
select
    a.name as actor, a.kind,
    (select count(*) from core.label as l where l.actor_id = a.actor_id) as n_labels,
    (select count(*) from core.review as r where r.reviewer_id = a.actor_id) as n_reviews,
    count(t.task_id) as n_tasks_done,
    percentile_cont(0.5) within group (order by extract(epoch from t.done_at - t.claimed_at))
        as median_seconds,
    max(t.done_at) as last_done_at
from core.actor as a
left join core.task as t on t.assignee_id = a.actor_id and t.state = 'done'
group by a.actor_id, a.name, a.kind;

comment on view smartdb.annotator_throughput is 'How much each actor labelled and reviewed, and how long a task took from claim to answer.';
comment on column smartdb.annotator_throughput.actor is 'Name of the actor.';
comment on column smartdb.annotator_throughput.kind is 'person, model or import.';
comment on column smartdb.annotator_throughput.n_labels is 'Label states written, edits included.';
comment on column smartdb.annotator_throughput.n_reviews is 'Reviews given.';
comment on column smartdb.annotator_throughput.n_tasks_done is 'Tasks answered.';
comment on column smartdb.annotator_throughput.median_seconds is 'Median time from claim to answer, in seconds.';
comment on column smartdb.annotator_throughput.last_done_at is 'When the last task was answered.';

-- example:
--   select actor, kind, n_labels, n_reviews from smartdb.annotator_throughput order by actor
-- result:
--   ana | person | 6 | 2
--   folder names | import | 10 | 0
