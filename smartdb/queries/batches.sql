-- name: same
-- The newest batch of just this call, if it holds just these media in this order.
select b.batch_id
from core.batch as b
where b.strategy = %(strategy)s and b.seed = %(seed)s and b.parameters = %(parameters)s
    and %(media_ids)s::bigint[] = array(
        select i.media_id from core.batch_item as i where i.batch_id = b.batch_id order by i.rank
    )
order by b.batch_id desc
limit 1;

-- name: add
-- Opens a batch.
insert into core.batch (strategy, parameters, seed, run_id)
values (%(strategy)s, %(parameters)s, %(seed)s, %(run_id)s)
returning batch_id;

-- name: items
-- The items of a batch in the order of choice.
select i.rank, i.media_id, i.score, i.reason, i.uri
from smartdb.batch_item as i
where i.batch_id = %(batch_id)s and i.rank > %(after)s
order by i.rank
limit %(limit)s;

-- name: members
-- The media of some batches.
select i.media_id from core.batch_item as i
where i.batch_id = any (%(batch_ids)s)
order by i.media_id;

-- name: known
-- Which of these batches there are.
select b.batch_id from smartdb.batch as b where b.batch_id = any (%(batch_ids)s);

-- name: list
-- A page of the batches, the newest first.
select
    b.batch_id, b.strategy, b.n_items, b.seed, b.parameters, b.counts, b.run_id, b.created_at
from smartdb.batch as b
where %(before)s::bigint is null or b.batch_id < %(before)s
order by b.batch_id desc
limit %(limit)s;

-- name: one
-- A batch.
select
    b.batch_id, b.strategy, b.n_items, b.seed, b.parameters, b.counts, b.run_id, b.created_at
from smartdb.batch as b
where b.batch_id = %(batch_id)s;
