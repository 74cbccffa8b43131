-- The candidates of prunings, each with its place in the order of keeping and why.
create view smartdb.pruning_item as
select
    i.pruning_id, i.media_id, i.rank, i.score, i.reason,
    case when i.kept_by not in (select r.media_id from core.restriction as r) then i.kept_by end as kept_by
from core.pruning_item as i;

comment on view smartdb.pruning_item is
    'The candidates of prunings, each with its place in the order of keeping and why. Name a pruning: where pruning_id = ...';
comment on column smartdb.pruning_item.pruning_id is 'The pruning.';
comment on column smartdb.pruning_item.media_id is 'The candidate.';
comment on column smartdb.pruning_item.rank is '1 is kept longest; a fraction keeps the first of all.';
comment on column smartdb.pruning_item.score is 'Score by the method; larger is kept longer.';
comment on column smartdb.pruning_item.reason is 'Why.';
comment on column smartdb.pruning_item.kept_by is
    'The candidate that represents it, where the method takes it for a duplicate; null otherwise, or if that one is hidden.';

-- example:
--   select media_id, rank, score, reason, kept_by from smartdb.pruning_item where pruning_id = 1
--   order by rank desc limit 2
-- result:
--   2 | 8 | 0.001 | cosine distance 0.001 to one of its cluster that is kept longer | 1
--   7 | 7 | 0.003 | cosine distance 0.003 to one of its cluster that is kept longer | 8
