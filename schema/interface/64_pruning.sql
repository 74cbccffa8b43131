-- Plans of what to keep.
create view smartdb.pruning as
select
    p.pruning_id, p.method, p.parameters, p.seed, p.run_id, e.name as encoder, p.predicate,
    p.n_candidates, p.n_kept, p.created_at
from core.pruning as p
left join core.encoder as e using (encoder_id);

comment on view smartdb.pruning is
    'Plans of what to keep: candidates in the order in which a method would keep them. See pruning_curve, pruning_kept.';
comment on column smartdb.pruning.pruning_id is 'Identity of the plan.';
comment on column smartdb.pruning.method is 'semdedup, duplicates, quality, el2n, forgetting, prototypes or random.';
comment on column smartdb.pruning.parameters is 'Its arguments, such as eps, side, runs, kinds.';
comment on column smartdb.pruning.seed is 'Seed of clusters and of the order of ties.';
comment on column smartdb.pruning.run_id is 'The run that computed it.';
comment on column smartdb.pruning.encoder is 'Encoder whose vectors were compared, or by which coverage is measured; null: none.';
comment on column smartdb.pruning.predicate is 'Condition on smartdb.media, read as m, that chose the candidates.';
comment on column smartdb.pruning.n_candidates is 'Number of candidates, media that were hidden or erased since included.';
comment on column smartdb.pruning.n_kept is
    'How many of the first the method itself would keep (no duplicates, good enough); null: it only orders.';
comment on column smartdb.pruning.created_at is 'When it was stored.';

-- example:
--   select pruning_id, method, encoder, n_candidates, n_kept from smartdb.pruning
-- result:
--   1 | semdedup | tiny | 8 | 6
