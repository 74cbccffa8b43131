-- name: evaluated
-- The model that a run predicted with, what kind of run it is, and the encoder the model reads.
select r.kind, e.model_id, en.name
from core.evaluation as e
join core.run as r on r.run_id = e.run_id
left join core.model as m on m.model_id = e.model_id
left join core.encoder as en on en.encoder_id = m.encoder_id
where e.run_id = %(run_id)s and r.status = 'succeeded';

-- name: known
-- The batch that was chosen by just this call before.
select b.batch_id from core.batch as b
where b.strategy = %(strategy)s and b.seed = %(seed)s and b.parameters = %(parameters)s
order by b.batch_id desc
limit 1;

-- name: candidates
-- The media of a pool that a run was least sure of, most uncertain first.
select p.media_id, p.entropy
from core.prediction as p
left join smartdb.media_class as c on c.media_id = p.media_id
where p.run_id = %(run_id)s
    and (%(pool)s = 'all' or (%(pool)s = 'labelled') = (c.media_id is not null))
order by p.entropy desc, p.media_id
limit %(limit)s;

-- name: add_batch
-- Opens a batch.
insert into core.batch (strategy, parameters, seed, run_id)
values (%(strategy)s, %(parameters)s, %(seed)s, %(run_id)s)
returning batch_id;

-- name: items
-- The items of a batch in the order of choice.
select i.rank, i.media_id, i.score, i.reason, i.uri
from smartdb.batch_item as i
where i.batch_id = %(batch_id)s
order by i.rank;
