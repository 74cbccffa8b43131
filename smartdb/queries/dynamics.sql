-- name: insert
-- Moves the copied dynamics to their run.
insert into core.training_dynamics (run_id, media_id, loss, el2n, n_forgotten, n_correct, n_epochs)
select %(run_id)s, s.media_id, s.loss, s.el2n, s.n_forgotten, s.n_correct, s.n_epochs
from pg_temp.copied_dynamics as s
order by s.media_id;
