-- The labels that review plans drew, with what came of each.
create view smartdb.review_plan_item as
select
    p.name as plan, i.rank, i.label_id, i.media_id, h.class, h.actor, i.risk, i.is_screening,
    case
        when r.state = 'disputed' then 'disputed'
        when r.verdict = 'accepted' then 'right'
        when r.verdict is not null then 'wrong'
        when h.rev_to is not null then 'changed'
        else 'open'
    end as outcome,
    v.name as reviewer, i.plan_id
from core.review_plan_item as i
join core.review_plan as p on p.plan_id = i.plan_id
join smartdb.label_history as h on h.label_id = i.label_id
left join lateral (
    select r.state, r.verdict, r.reviewer_id from core.review as r
    where r.label_id = i.label_id and r.rev_to is null
    order by r.review_id desc limit 1
) as r on true
left join core.actor as v on v.actor_id = r.reviewer_id;

comment on view smartdb.review_plan_item is 'The labels that review plans drew, with what came of each. Order by rank.';
comment on column smartdb.review_plan_item.plan is 'Name of the plan.';
comment on column smartdb.review_plan_item.rank is 'Order in which it was drawn.';
comment on column smartdb.review_plan_item.label_id is 'The label row.';
comment on column smartdb.review_plan_item.media_id is 'The media.';
comment on column smartdb.review_plan_item.class is 'What the row says.';
comment on column smartdb.review_plan_item.actor is 'Whose label it is.';
comment on column smartdb.review_plan_item.risk is 'How likely it was an error, 0 to 1; plans of kind risk.';
comment on column smartdb.review_plan_item.is_screening is 'True for the rest of a lot that was not accepted.';
comment on column smartdb.review_plan_item.outcome is
    'open, right, wrong, disputed (not settled yet) or changed (before a reviewer saw it: counts as wrong where a lot is judged).';
comment on column smartdb.review_plan_item.reviewer is 'Who judged it last.';
comment on column smartdb.review_plan_item.plan_id is 'Identity of the plan.';

-- example:
--   select rank, label_id, class, outcome, reviewer from smartdb.review_plan_item where plan = 'first look'
--   order by rank
-- result:
--   1 | 9 | dog | right | ana
