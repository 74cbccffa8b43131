-- name: take
-- Waits for the turn to do something.
select pg_advisory_lock(%(space)s, hashtext(%(what)s));

-- name: give_back
-- Gives the turn back.
select pg_advisory_unlock(%(space)s, hashtext(%(what)s));
