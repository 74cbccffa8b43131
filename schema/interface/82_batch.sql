-- The batches that samplers chose, and how.
create view smartdb.batch as
select
    b.batch_id, b.strategy, b.parameters, b.seed,
    (select count(*) from smartdb.batch_item as i where i.batch_id = b.batch_id) as n_items,
    r.counts, b.run_id, b.created_at
from core.batch as b
join core.run as r on r.run_id = b.run_id;

comment on view smartdb.batch is 'The batches that samplers chose, and how; batch_item says what.';
comment on column smartdb.batch.batch_id is 'Identity of the batch.';
comment on column smartdb.batch.strategy is 'How it was chosen.';
comment on column smartdb.batch.parameters is 'Arguments of the sampler, the candidates'' predicate among them.';
comment on column smartdb.batch.seed is 'Its random seed.';
comment on column smartdb.batch.n_items is 'Media that were chosen, as far as you may see them.';
comment on column smartdb.batch.counts is 'What the sampler counted: candidates, those without a vector, what fell short.';
comment on column smartdb.batch.run_id is 'The run that chose.';
comment on column smartdb.batch.created_at is 'When it was chosen.';

-- example:
--   select batch_id, strategy, seed, n_items from smartdb.batch
-- result:
--   1 | uncertain+diverse | 0 | 1
