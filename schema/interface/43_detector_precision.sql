-- How often each kind of suspicion was right, on what reviewers have decided.
create view smartdb.detector_precision as
with decided as (
    select i.kind, (i.state = 'confirmed')::integer as confirmed,
        row_number() over (partition by i.kind order by i.score desc, i.issue_id) as place
    from smartdb.label_issue as i
    where i.state <> 'open'
)
select
    d.kind, count(*) as n_decided, sum(d.confirmed) as n_confirmed, avg(d.confirmed)::double precision as precision,
    case when count(*) >= 10 then sum(d.confirmed) filter (where d.place <= 10) / 10.0::double precision end
        as precision_at_10,
    case when count(*) >= 50 then sum(d.confirmed) filter (where d.place <= 50) / 50.0::double precision end
        as precision_at_50,
    case when count(*) >= 100 then sum(d.confirmed) filter (where d.place <= 100) / 100.0::double precision end
        as precision_at_100
from decided as d
group by d.kind;

comment on view smartdb.detector_precision is 'How often each detector of label errors was right, on the issues that reviewers decided.';
comment on column smartdb.detector_precision.kind is 'The detector, by the kind of error it looks for.';
comment on column smartdb.detector_precision.n_decided is 'Issues that were decided.';
comment on column smartdb.detector_precision.n_confirmed is 'Issues where the label was wrong.';
comment on column smartdb.detector_precision.precision is 'Share that was wrong, 0 to 1.';
comment on column smartdb.detector_precision.precision_at_10 is 'Share wrong of the 10 most suspicious; null with fewer decided.';
comment on column smartdb.detector_precision.precision_at_50 is 'The same of 50.';
comment on column smartdb.detector_precision.precision_at_100 is 'The same of 100.';

-- example:
--   select kind, n_decided, n_confirmed, precision, precision_at_10 from smartdb.detector_precision
-- result:
--   swapped | 2 | 1 | 0.5 | None
