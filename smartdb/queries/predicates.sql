-- name: members
-- The media that fulfil a predicate, by id.
select w.media_id from smartdb.media_where(%(predicate)s) as w order by w.media_id;

-- name: count
-- How many media fulfil a predicate.
select count(*) from smartdb.media_where(%(predicate)s);

-- name: checked
-- The predicate in parentheses, or an error that says what is wrong with it.
select smartdb.checked_predicate(%(predicate)s);

-- name: slice
-- A slice as a condition.
select smartdb.slice_predicate(%(slice)s);

-- name: limit
-- How long a statement of this transaction may take.
select current_setting('statement_timeout');

-- name: limit_time
-- Ends a statement of this transaction that takes longer.
select set_config('statement_timeout', %(limit)s, true);
