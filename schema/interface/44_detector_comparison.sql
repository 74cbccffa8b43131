-- The detectors of label errors side by side, on the labels that reviewers have decided so far.
create view smartdb.detector_comparison as
with ranked as (
    select
        w.detector, w.is_wrong::integer as wrong, w.is_suspect::integer as suspect,
        rank() over by_score + (count(*) over (partition by w.detector, w.score) - 1) / 2.0 as rank,
        row_number() over (partition by w.detector order by w.score desc, w.label_id) as place
    from smartdb.detector_word as w
    window by_score as (partition by w.detector order by w.score)
),
counted as (
    select
        r.detector, count(*)::double precision as n, sum(r.wrong)::double precision as n_wrong,
        sum(r.suspect)::double precision as n_suspected, sum(r.wrong * r.suspect)::double precision as n_found,
        sum(r.rank * r.wrong)::double precision as ranks,
        case when count(*) >= 10 then sum(r.wrong) filter (where r.place <= 10) / 10.0::double precision end as at_10,
        case when count(*) >= 50 then sum(r.wrong) filter (where r.place <= 50) / 50.0::double precision end as at_50,
        case when count(*) >= 100 then sum(r.wrong) filter (where r.place <= 100) / 100.0::double precision end as at_100
    from ranked as r
    group by r.detector
)
select
    c.detector, c.n::bigint as n_decided, c.n_wrong::bigint as n_wrong, c.n_suspected::bigint as n_suspected,
    c.n_found / nullif(c.n_suspected, 0) as precision, c.n_found / nullif(c.n_wrong, 0) as recall,
    2 * c.n_found / nullif(c.n_suspected + c.n_wrong, 0) as f1,
    (c.ranks - c.n_wrong * (c.n_wrong + 1) / 2) / nullif(c.n_wrong * (c.n - c.n_wrong), 0) as auroc,
    c.at_10 as precision_at_10, c.at_50 as precision_at_50, c.at_100 as precision_at_100
from counted as c;

comment on view smartdb.detector_comparison is
    'The detectors of label errors side by side, on the labels that reviewers have decided so far and the detector had examined. '
    'Reviewers saw mostly what one detector suspected: recall is of the errors found so far. A sample at random judges them fairly.';
comment on column smartdb.detector_comparison.detector is 'The detector.';
comment on column smartdb.detector_comparison.n_decided is 'Labels with a verdict that it had scored.';
comment on column smartdb.detector_comparison.n_wrong is 'Those that were wrong.';
comment on column smartdb.detector_comparison.n_suspected is 'Those it would have asked about.';
comment on column smartdb.detector_comparison.precision is 'Share of those it suspected that were wrong.';
comment on column smartdb.detector_comparison.recall is 'Share of the wrong ones that it suspected.';
comment on column smartdb.detector_comparison.f1 is 'Harmonic mean of precision and recall.';
comment on column smartdb.detector_comparison.auroc is
    'Probability that it ranks a wrong label above a right one (ties count half): 0.5 is chance.';
comment on column smartdb.detector_comparison.precision_at_10 is 'Share wrong of the 10 it ranked first; null with fewer decided.';
comment on column smartdb.detector_comparison.precision_at_50 is 'The same of 50.';
comment on column smartdb.detector_comparison.precision_at_100 is 'The same of 100.';

-- example:
--   select detector, n_decided, n_wrong, precision, recall, f1, auroc, precision_at_10
--   from smartdb.detector_comparison order by detector
-- result:
--   predicted_neq_given | 2 | 1 | 1 | 1 | 1 | 1 | None
--   rank | 2 | 1 | 0.5 | 1 | 0.6667 | 1 | None
