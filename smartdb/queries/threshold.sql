-- name: list
-- The thresholds by kind.
select t.kind, t.statistic, t.below, t.above from smartdb.quality_threshold as t order by t.kind;

-- name: set
-- Sets a threshold.
insert into core.quality_threshold (kind, statistic, below, above)
values (%(kind)s, %(statistic)s, %(below)s, %(above)s)
on conflict (kind) do update
set statistic = excluded.statistic, below = excluded.below, above = excluded.above;

-- name: remove
-- Takes a threshold away.
delete from core.quality_threshold where kind = %(kind)s;

-- name: derive
-- Makes the open findings of a kind what its threshold says now.
select d.n_added, d.n_removed from core.derive_findings(array[%(kind)s], %(run_id)s) as d;
