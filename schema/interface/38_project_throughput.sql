-- What each person did in each project, and how fast.
create view smartdb.project_throughput as
select
    p.name as project, a.name as actor,
    count(*) filter (where t.state = 'done') as n_done,
    count(*) filter (where t.state = 'skipped') as n_skipped,
    count(*) filter (where t.state = 'claimed' and t.lease_until >= now()) as n_leased,
    percentile_cont(0.5) within group (order by s.seconds) filter (where t.state = 'done') as median_seconds,
    (3600 * count(s.seconds) filter (where t.state = 'done')
        / nullif(sum(s.seconds) filter (where t.state = 'done'), 0))::double precision as per_hour,
    max(t.done_at) as last_done_at
from core.task as t
join core.project as p on p.project_id = t.project_id
join core.actor as a on a.actor_id = t.assignee_id
cross join lateral (
    select coalesce(t.seconds, extract(epoch from t.done_at - t.claimed_at))::double precision as seconds
) as s
where t.state <> 'open'
group by p.project_id, p.name, a.actor_id, a.name;

comment on view smartdb.project_throughput is 'What each person did in each project, and how fast.';
comment on column smartdb.project_throughput.project is 'The project.';
comment on column smartdb.project_throughput.actor is 'The person.';
comment on column smartdb.project_throughput.n_done is 'Tasks answered.';
comment on column smartdb.project_throughput.n_skipped is 'Tasks skipped.';
comment on column smartdb.project_throughput.n_leased is 'Tasks the person holds now.';
comment on column smartdb.project_throughput.median_seconds is 'Median time of an answer: what the client said, else from claim to answer.';
comment on column smartdb.project_throughput.per_hour is 'Answers in an hour of such time.';
comment on column smartdb.project_throughput.last_done_at is 'When the person answered or skipped last.';

-- example:
--   select project, actor, n_done, n_skipped from smartdb.project_throughput
-- result:
--   pets | ana | 0 | 0
--   pets | cy | 1 | 1
