-- How often each detector of label errors was right, on what reviewers have decided.
create view smartdb.detector_precision as
select
    i.kind, count(*) as n_decided, count(*) filter (where i.state = 'confirmed') as n_confirmed,
    avg((i.state = 'confirmed')::integer)::double precision as precision
from smartdb.label_issue as i
where i.state <> 'open'
group by i.kind;

comment on view smartdb.detector_precision is 'How often each detector of label errors was right, on the issues that reviewers decided.';
comment on column smartdb.detector_precision.kind is 'The detector, by the kind of error it looks for.';
comment on column smartdb.detector_precision.n_decided is 'Issues that were decided.';
comment on column smartdb.detector_precision.n_confirmed is 'Issues where the label was wrong.';
comment on column smartdb.detector_precision.precision is 'Share that was wrong, 0 to 1.';

-- example:
--   select * from smartdb.detector_precision
-- result:
--   swapped | 2 | 1 | 0.5
