-- How much each actor labelled and reviewed, and how long a task took.
create view smartdb.annotator_throughput as
with labelled as (
    select l.actor_id, count(*) as n from core.label as l group by l.actor_id
),
reviewed as (
    select r.reviewer_id as actor_id, count(*) as n from core.review as r group by r.reviewer_id
)
select
    a.name as actor, a.kind,
    coalesce(l.n, 0) as n_labels,
    coalesce(r.n, 0) as n_reviews,
    count(t.task_id) as n_tasks_done,
    percentile_cont(0.5) within group (order by extract(epoch from t.done_at - t.claimed_at))
        as median_seconds,
    max(t.done_at) as last_done_at
from core.actor as a
left join labelled as l on l.actor_id = a.actor_id
left join reviewed as r on r.actor_id = a.actor_id
left join core.task as t on t.assignee_id = a.actor_id and t.state = 'done'
group by a.actor_id, a.name, a.kind, l.n, r.n;

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
--   cy | person | 0 | 0
--   folder names | import | 14 | 0
--   labelling functions | model | 1 | 0
