-- Reviewing: which labels of a lot are looked at, and what may be concluded from them.

create table core.review_plan (
    plan_id bigint generated always as identity,
    name text not null,
    kind text not null,
    predicate text not null default 'true',
    parameters jsonb not null default '{}',
    seed bigint not null,
    revision bigint not null,
    n_lot bigint not null,
    max_wrong integer,
    error_limit double precision,
    confidence double precision not null default 0.95,
    created_at timestamptz not null default now(),
    screened_at timestamptz,
    constraint review_plan_pk primary key (plan_id),
    constraint review_plan_name_key unique (name),
    constraint review_plan_name_check check (name <> ''),
    constraint review_plan_kind_check check (kind in ('share', 'annotator', 'risk', 'acceptance')),
    constraint review_plan_lot_check check (n_lot >= 1),
    constraint review_plan_limit_check check (
        (kind = 'acceptance') = (num_nulls(max_wrong, error_limit) = 0)
        and num_nonnulls(max_wrong, error_limit) in (0, 2) and max_wrong >= 0
        and error_limit > 0 and error_limit < 1),
    constraint review_plan_confidence_check check (confidence > 0 and confidence < 1),
    constraint review_plan_screened_check check (screened_at is null or kind = 'acceptance')
);
call core.make_permanent('core.review_plan', 'plan_id');
comment on table core.review_plan is
    'A sample of a lot of labels that reviewers look at. The lot is what fulfilled the predicate, unreviewed, when it was drawn.';
comment on column core.review_plan.plan_id is 'Identity of the plan.';
comment on column core.review_plan.name is 'Unique name.';
comment on column core.review_plan.kind is
    'share (of the lot, at random), annotator (as many of each, at random), risk (the likeliest errors: no estimate follows) or '
    'acceptance (at random; the lot is accepted with at most max_wrong wrong, else reviewed wholly).';
comment on column core.review_plan.predicate is 'Which labels are the lot: a condition on smartdb.label, read as l.';
comment on column core.review_plan.parameters is
    'What else it was made by; of kind annotator also lots, how many labels of each actor were in the lot.';
comment on column core.review_plan.seed is 'Seed of the order in which labels are drawn.';
comment on column core.review_plan.revision is 'Revision at which it was drawn.';
comment on column core.review_plan.n_lot is 'Labels in the lot.';
comment on column core.review_plan.max_wrong is 'Wrong labels with which the lot is still accepted.';
comment on column core.review_plan.error_limit is
    'A lot with this share of wrong labels, or a larger, is accepted with a probability of at most 1 - confidence.';
comment on column core.review_plan.confidence is 'Confidence of bound and interval.';
comment on column core.review_plan.created_at is 'When it was made.';
comment on column core.review_plan.screened_at is 'When the rest of a lot that was not accepted was taken into the plan.';

create table core.review_plan_item (
    plan_id bigint not null,
    label_id bigint not null,
    media_id bigint not null,
    actor_id bigint not null,
    rank bigint not null,
    risk real,
    is_screening boolean not null default false,
    constraint review_plan_item_pk primary key (plan_id, label_id),
    constraint review_plan_item_plan_fk foreign key (plan_id)
        references core.review_plan (plan_id) on delete restrict,
    constraint review_plan_item_rank_check check (rank >= 1),
    constraint review_plan_item_risk_check check (risk between 0 and 1)
);
create index review_plan_item_label_idx on core.review_plan_item (label_id);
create index review_plan_item_media_idx on core.review_plan_item (media_id);
call core.protect('core.review_plan_item');
call core.refer('core.review_plan_item', '{
    {media_id, core.media, media_id},
    {label_id, core.label, label_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.review_plan_item is 'A label row that a plan drew.';
comment on column core.review_plan_item.plan_id is 'The plan.';
comment on column core.review_plan_item.label_id is 'The label row.';
comment on column core.review_plan_item.media_id is 'Its media.';
comment on column core.review_plan_item.actor_id is 'Whose label it is.';
comment on column core.review_plan_item.rank is 'Order in which it was drawn.';
comment on column core.review_plan_item.risk is 'How likely it is an error, 0 to 1, by what was known then; plans of kind risk.';
comment on column core.review_plan_item.is_screening is
    'True for the rest of a lot that was not accepted: no part of the sample that judged it.';
