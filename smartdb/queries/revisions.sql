-- name: checkpoint
-- A revision that never moves.
select core.checkpoint();
