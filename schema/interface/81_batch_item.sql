-- What samplers chose to work on next.
create view smartdb.batch_item as
select b.batch_id, b.strategy, i.rank, i.media_id, m.uri, i.score, i.reason, b.run_id, b.created_at
from core.batch as b
join core.batch_item as i using (batch_id)
join smartdb.media as m on m.media_id = i.media_id;

comment on view smartdb.batch_item is 'What samplers chose to work on next, with the reason.';
comment on column smartdb.batch_item.batch_id is 'The batch.';
comment on column smartdb.batch_item.strategy is 'How it was chosen.';
comment on column smartdb.batch_item.rank is 'Order of choice, from 1.';
comment on column smartdb.batch_item.media_id is 'The chosen media.';
comment on column smartdb.batch_item.uri is 'Where its bytes lie.';
comment on column smartdb.batch_item.score is 'Score by the strategy; larger was more wanted.';
comment on column smartdb.batch_item.reason is 'Why.';
comment on column smartdb.batch_item.run_id is 'The run that chose.';
comment on column smartdb.batch_item.created_at is 'When it was chosen.';

-- example:
--   select batch_id, strategy, rank, media_id, score, reason from smartdb.batch_item
-- result:
--   1 | uncertain+diverse | 1 | 11 | 0.69 | entropy 0.688
