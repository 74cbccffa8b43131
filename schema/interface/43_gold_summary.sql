-- How right each person is on what is known, project by project.
create view smartdb.gold_summary as
select
    g.project, g.actor, count(*) as n, avg(g.score) as mean_score, count(*) filter (where g.score = 1) as n_right,
    max(g.done_at) as last_done_at
from smartdb.gold_score as g
group by g.project, g.actor;

comment on view smartdb.gold_summary is 'How right each person is on tasks whose truth is known. Nothing for annotators.';
comment on column smartdb.gold_summary.project is 'The project.';
comment on column smartdb.gold_summary.actor is 'The person.';
comment on column smartdb.gold_summary.n is 'Answers that were scored.';
comment on column smartdb.gold_summary.mean_score is 'Mean of their scores, 0 to 1.';
comment on column smartdb.gold_summary.n_right is 'Those with nothing missing, wrong or too much.';
comment on column smartdb.gold_summary.last_done_at is 'When the last of them was answered.';

-- example:
--   select project, actor, n, mean_score, n_right from smartdb.gold_summary
-- result:
--   pets | cy | 1 | 1 | 1
