-- Review plans: how far each is, what share of the lot is wrong, and whether the lot is accepted.
create view smartdb.review_plan as
with tally as (
    select
        i.plan_id, count(*) as n_items,
        count(*) filter (where i.outcome in ('open', 'disputed')) as n_open,
        count(*) filter (where not i.is_screening) as n_sample,
        count(*) filter (where not i.is_screening and i.outcome in ('right', 'wrong', 'changed')) as n_checked,
        count(*) filter (where not i.is_screening and i.outcome in ('wrong', 'changed')) as n_wrong,
        count(*) filter (where i.outcome in ('wrong', 'changed')) as n_wrong_in_all
    from smartdb.review_plan_item as i group by i.plan_id
)
select
    p.name as plan, p.kind, p.predicate, p.seed, p.n_lot, t.n_sample, t.n_checked, t.n_wrong, t.n_open,
    case when p.kind in ('share', 'acceptance') and t.n_checked > 0
        then t.n_wrong / t.n_checked::double precision end as error_rate,
    e.low, e.high, p.confidence, p.max_wrong, p.error_limit,
    case
        when p.kind <> 'acceptance' then case when t.n_open = 0 then 'done' else 'open' end
        when t.n_wrong > p.max_wrong
            then case when p.screened_at is not null and t.n_open = 0 then 'screened' else 'rejected' end
        when t.n_checked < t.n_sample then 'open'
        else 'accepted'
    end as state,
    case
        when p.kind = 'acceptance' and t.n_wrong > p.max_wrong then format(
            '%s of %s checked were wrong, more than %s: the lot of %s is not accepted%s', t.n_wrong, t.n_checked,
            p.max_wrong, p.n_lot, case when p.screened_at is null then '; review the rest of it'
                when t.n_open > 0 then format('; %s of the rest wait for a verdict', t.n_open)
                else format('; all of it was reviewed, %s were wrong', t.n_wrong_in_all) end)
        when p.kind = 'acceptance' and t.n_checked = t.n_sample then format(
            '%s of %s checked were wrong, not more than %s: fewer than %s %% of the lot of %s are wrong, with %s %% confidence',
            t.n_wrong, t.n_checked, p.max_wrong, round((100 * p.error_limit)::numeric, 2)::double precision, p.n_lot,
            round((100 * p.confidence)::numeric, 2)::double precision)
        when p.kind in ('share', 'acceptance') and t.n_checked > 0 then format(
            '%s of %s checked were wrong: between %s and %s %% of the lot of %s, with %s %% confidence',
            t.n_wrong, t.n_checked, round((100 * e.low)::numeric, 2)::double precision,
            round((100 * e.high)::numeric, 2)::double precision, p.n_lot,
            round((100 * p.confidence)::numeric, 2)::double precision)
        else format('%s of %s checked were wrong', t.n_wrong, t.n_checked)
    end as finding,
    p.created_at, p.screened_at, p.plan_id
from core.review_plan as p
join tally as t on t.plan_id = p.plan_id
left join lateral smartdb.exact_interval(t.n_wrong, t.n_checked, p.confidence) as e
    on p.kind in ('share', 'acceptance');

comment on view smartdb.review_plan is
    'Review plans, how far each is, and what follows: the share of wrong labels of the lot with an exact interval where the sample '
    'is a random one, and whether a lot is accepted.';
comment on column smartdb.review_plan.plan is 'Unique name of the plan.';
comment on column smartdb.review_plan.kind is 'share, annotator (see smartdb.review_plan_annotator), risk (no estimate follows) or acceptance.';
comment on column smartdb.review_plan.predicate is 'Which labels are the lot: a condition on smartdb.label, read as l.';
comment on column smartdb.review_plan.seed is 'Seed of the order in which labels were drawn.';
comment on column smartdb.review_plan.n_lot is 'Labels in the lot.';
comment on column smartdb.review_plan.n_sample is 'Labels in the sample.';
comment on column smartdb.review_plan.n_checked is 'Those of the sample that were judged, or changed before.';
comment on column smartdb.review_plan.n_wrong is 'Those of the sample that were wrong, or changed before.';
comment on column smartdb.review_plan.n_open is 'Labels of the plan that wait for a verdict.';
comment on column smartdb.review_plan.error_rate is 'Share of the checked labels that was wrong; null where it says nothing of the lot.';
comment on column smartdb.review_plan.low is 'Lower end of its exact interval (Clopper and Pearson).';
comment on column smartdb.review_plan.high is 'Upper end.';
comment on column smartdb.review_plan.confidence is 'Confidence of the interval and the bound.';
comment on column smartdb.review_plan.max_wrong is 'Wrong labels with which the lot is still accepted.';
comment on column smartdb.review_plan.error_limit is
    'If at least this share of the lot is wrong, it is accepted with a probability of at most 1 - confidence.';
comment on column smartdb.review_plan.state is
    'open or done; of kind acceptance open, accepted, rejected (review the rest) or screened (the rest was reviewed).';
comment on column smartdb.review_plan.finding is 'The same as a sentence.';
comment on column smartdb.review_plan.created_at is 'When it was made.';
comment on column smartdb.review_plan.screened_at is 'When the rest of a lot that was not accepted was taken in.';
comment on column smartdb.review_plan.plan_id is 'Identity of the plan.';

-- example:
--   select plan, n_lot, n_sample, n_checked, state, finding from smartdb.review_plan
-- result:
--   first look | 10 | 1 | 1 | done | 0 of 1 checked were wrong: between 0 and 97.5 % of the lot of 10, with 95 % confidence
