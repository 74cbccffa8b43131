-- name: add_scoring
-- Says which detectors a run asks, in the order of their scores.
insert into core.label_scoring (run_id, detectors) values (%(run_id)s, %(detectors)s);

-- name: comparison
-- The detectors side by side on what reviewers have decided.
select
    c.detector, c.n_decided, c.n_wrong, c.n_suspected, c.precision, c.recall, c.f1, c.auroc,
    c.precision_at_10, c.precision_at_50, c.precision_at_100
from smartdb.detector_comparison as c
order by c.auroc desc nulls last, c.f1 desc nulls last, c.detector;
