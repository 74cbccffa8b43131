-- From which value on a statistic of a picture becomes a finding.
create view smartdb.quality_threshold as
select t.kind, t.statistic, t.below, t.above
from core.quality_threshold as t;

comment on view smartdb.quality_threshold is
    'From which value on a statistic of a picture (column of smartdb.media) becomes a finding. smartdb threshold set changes one.';
comment on column smartdb.quality_threshold.kind is 'Kind of the finding, as in finding_open.';
comment on column smartdb.quality_threshold.statistic is
    'Column of smartdb.media, or shorter_side (pixels), or aspect (longer side by shorter side).';
comment on column smartdb.quality_threshold.below is 'Smaller values are a finding; null is none.';
comment on column smartdb.quality_threshold.above is 'Larger values are a finding; null is none.';

-- example:
--   select kind, statistic, below, above from smartdb.quality_threshold order by kind limit 3
-- result:
--   blurry | sharpness | 30 | None
--   bright | brightness | None | 0.95
--   dark | brightness | 0.08 | None
