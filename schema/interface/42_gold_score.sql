-- Answers to tasks whose truth is known, with how right they were; not for annotators.
create view smartdb.gold_score as
select
    g.task_id, p.name as project, g.media_id, a.name as actor, g.n_gold, g.n_given, g.n_matched, g.score, t.done_at, g.created_at
from core.gold_score as g
join core.task as t on t.task_id = g.task_id
join core.actor as a on a.actor_id = g.actor_id
left join core.project as p on p.project_id = t.project_id
where not pg_has_role(current_user, 'smartdb_annotator', 'member');

comment on view smartdb.gold_score is 'Answers to tasks whose media has gold labels, held against them. Nothing for annotators.';
comment on column smartdb.gold_score.task_id is 'The answered task.';
comment on column smartdb.gold_score.project is 'Its project.';
comment on column smartdb.gold_score.media_id is 'Its media.';
comment on column smartdb.gold_score.actor is 'Who answered.';
comment on column smartdb.gold_score.n_gold is 'Gold labels.';
comment on column smartdb.gold_score.n_given is 'Labels that the person gave.';
comment on column smartdb.gold_score.n_matched is 'Pairs of the same class and kind, and boxes that overlap by half (IoU) where there is one.';
comment on column smartdb.gold_score.score is 'F1 of the answer, 0 to 1.';
comment on column smartdb.gold_score.done_at is 'When it was answered.';
comment on column smartdb.gold_score.created_at is 'When it was scored.';

-- example:
--   select project, media_id, actor, n_gold, n_given, score from smartdb.gold_score
-- result:
--   pets | 9 | cy | 1 | 1 | 1
