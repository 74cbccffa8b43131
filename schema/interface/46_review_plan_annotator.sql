-- What review plans found for each whose labels they drew.
create view smartdb.review_plan_annotator as
select
    i.plan, i.actor, (p.parameters -> 'lots' ->> i.actor)::bigint as n_lot, i.n_sample, i.n_checked, i.n_wrong,
    i.n_wrong / nullif(i.n_checked, 0)::double precision as error_rate, e.low, e.high, p.confidence
from (
    select
        i.plan_id, i.plan, i.actor, count(*) as n_sample,
        count(*) filter (where i.outcome in ('right', 'wrong', 'changed')) as n_checked,
        count(*) filter (where i.outcome in ('wrong', 'changed')) as n_wrong
    from smartdb.review_plan_item as i where not i.is_screening
    group by i.plan_id, i.plan, i.actor
) as i
join core.review_plan as p on p.plan_id = i.plan_id
cross join lateral smartdb.exact_interval(i.n_wrong, i.n_checked, p.confidence) as e
where p.kind <> 'risk';

comment on view smartdb.review_plan_annotator is
    'The share of wrong labels of each whose labels a plan drew at random, with an exact interval.';
comment on column smartdb.review_plan_annotator.plan is 'Name of the plan.';
comment on column smartdb.review_plan_annotator.actor is 'Whose labels.';
comment on column smartdb.review_plan_annotator.n_lot is 'Their labels in the lot; plans of kind annotator.';
comment on column smartdb.review_plan_annotator.n_sample is 'Their labels in the sample.';
comment on column smartdb.review_plan_annotator.n_checked is 'Those judged, or changed before.';
comment on column smartdb.review_plan_annotator.n_wrong is 'Those that were wrong, or changed before.';
comment on column smartdb.review_plan_annotator.error_rate is 'Share that was wrong.';
comment on column smartdb.review_plan_annotator.low is 'Lower end of its exact interval (Clopper and Pearson).';
comment on column smartdb.review_plan_annotator.high is 'Upper end.';
comment on column smartdb.review_plan_annotator.confidence is 'Confidence of the interval.';

-- example:
--   select actor, n_checked, n_wrong, high from smartdb.review_plan_annotator
-- result:
--   folder names | 1 | 0 | 0.975
