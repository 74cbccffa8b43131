-- How each actor's labels fared in review, with a 95 % Wilson interval.
create view smartdb.annotator_quality as
with judged as (
    select r.labelled_by as actor, count(*)::double precision as n,
        count(*) filter (where r.verdict = 'accepted') as n_accepted
    from smartdb.review as r group by r.labelled_by
)
select
    j.actor, j.n::bigint as n_reviewed, j.n_accepted, j.n_accepted / j.n as accepted,
    (j.n_accepted + 1.92 - 1.96 * sqrt(j.n_accepted * (j.n - j.n_accepted) / j.n + 0.96)) / (j.n + 3.84) as accepted_low,
    (j.n_accepted + 1.92 + 1.96 * sqrt(j.n_accepted * (j.n - j.n_accepted) / j.n + 0.96)) / (j.n + 3.84) as accepted_high
from judged as j;

comment on view smartdb.annotator_quality is
    'How each actor''s labels fared in review, with a 95 % Wilson interval. Reviews that looked for errors make it look worse than it is.';
comment on column smartdb.annotator_quality.actor is 'Whose labels.';
comment on column smartdb.annotator_quality.n_reviewed is 'Label states with a verdict.';
comment on column smartdb.annotator_quality.n_accepted is 'Those accepted.';
comment on column smartdb.annotator_quality.accepted is 'Share accepted, 0 to 1.';
comment on column smartdb.annotator_quality.accepted_low is 'Lower end of the interval.';
comment on column smartdb.annotator_quality.accepted_high is 'Upper end of the interval.';

-- example:
--   select * from smartdb.annotator_quality
-- result:
--   folder names | 2 | 1 | 0.5 | 0.09447 | 0.9055
