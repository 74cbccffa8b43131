-- How far each project is.
create view smartdb.project_progress as
with of_media as (
    select
        t.project_id, t.media_id, count(*) as n,
        count(*) filter (where t.state = 'open') as n_open,
        count(*) filter (where t.state = 'claimed' and t.lease_until >= now()) as n_leased,
        count(*) filter (where t.state = 'claimed' and t.lease_until < now()) as n_expired,
        count(*) filter (where t.state = 'done') as n_done,
        count(*) filter (where t.state = 'skipped') as n_skipped,
        count(*) filter (where t.state = 'done' and t.done_at > now() - interval '1 day') as n_today,
        sum(coalesce(t.seconds, extract(epoch from t.done_at - t.claimed_at))) filter (where t.state = 'done') as seconds
    from core.task as t
    where t.project_id is not null and t.kind = 'label'
    group by t.project_id, t.media_id
),
of_project as (
    select
        m.project_id, count(*) as n_media, count(*) filter (where m.n_done + m.n_skipped = m.n) as n_media_done,
        sum(m.n)::bigint as n_tasks, sum(m.n_open + m.n_expired)::bigint as n_waiting, sum(m.n_leased)::bigint as n_leased,
        sum(m.n_done)::bigint as n_done, sum(m.n_skipped)::bigint as n_skipped, sum(m.n_today)::bigint as n_done_last_day,
        sum(m.seconds) as seconds
    from of_media as m group by m.project_id
)
select
    p.name as project, coalesce(f.n_media, 0) as n_media, coalesce(f.n_media_done, 0) as n_media_done,
    coalesce(f.n_tasks, 0) as n_tasks, coalesce(f.n_waiting, 0) as n_waiting, coalesce(f.n_leased, 0) as n_leased,
    coalesce(f.n_done, 0) as n_done, coalesce(f.n_skipped, 0) as n_skipped,
    (f.n_done + f.n_skipped)::double precision / nullif(f.n_tasks, 0) as share_done,
    coalesce(f.n_done_last_day, 0) as n_done_last_day,
    (f.seconds / nullif(f.n_done, 0))::double precision as mean_seconds,
    ((f.n_waiting + f.n_leased) * f.seconds / nullif(f.n_done, 0) / 3600)::double precision as hours_left
from core.project as p
left join of_project as f on f.project_id = p.project_id;

comment on view smartdb.project_progress is 'How far each project is, and how many hours of work are left in what was asked so far.';
comment on column smartdb.project_progress.project is 'The project.';
comment on column smartdb.project_progress.n_media is 'Media asked about.';
comment on column smartdb.project_progress.n_media_done is 'Those about which all that were asked have answered or skipped.';
comment on column smartdb.project_progress.n_tasks is 'Answers asked for.';
comment on column smartdb.project_progress.n_waiting is 'Those that wait; a lease that has run out is waiting again.';
comment on column smartdb.project_progress.n_leased is 'Those that somebody works on.';
comment on column smartdb.project_progress.n_done is 'Those answered.';
comment on column smartdb.project_progress.n_skipped is 'Those skipped.';
comment on column smartdb.project_progress.share_done is 'Share answered or skipped, 0 to 1.';
comment on column smartdb.project_progress.n_done_last_day is 'Those answered in the last 24 hours.';
comment on column smartdb.project_progress.mean_seconds is 'Mean time of an answer: what the client said, else from claim to answer.';
comment on column smartdb.project_progress.hours_left is 'Hours of one person''s work that wait or are begun, at that mean.';

-- example:
--   select project, n_media, n_tasks, n_waiting, n_done, share_done from smartdb.project_progress
-- result:
--   pets | 2 | 3 | 0 | 1 | 0.6667
