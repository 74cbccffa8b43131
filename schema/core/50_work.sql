-- Annotating and reviewing: tasks with leases, reviews, suspected errors, and chosen batches.

create table core.batch (
    batch_id bigint generated always as identity,
    strategy text not null,
    parameters jsonb not null default '{}',
    seed bigint not null,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint batch_pk primary key (batch_id),
    constraint batch_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
create index batch_run_idx on core.batch (run_id);
comment on table core.batch is 'What a sampler chose to work on next.';
comment on column core.batch.batch_id is 'Identity of the batch.';
comment on column core.batch.strategy is 'How it was chosen, for instance uncertain+diverse.';
comment on column core.batch.parameters is 'Arguments of the sampler.';
comment on column core.batch.seed is 'Its random seed: the same seed on the same data chooses the same media.';
comment on column core.batch.run_id is 'The run that chose.';
comment on column core.batch.created_at is 'When it was chosen.';

create table core.batch_item (
    batch_id bigint not null,
    media_id bigint not null,
    rank integer not null,
    score double precision not null,
    reason text not null,
    constraint batch_item_pk primary key (batch_id, media_id),
    constraint batch_item_rank_key unique (batch_id, rank),
    constraint batch_item_batch_fk foreign key (batch_id)
        references core.batch (batch_id) on delete cascade,
    constraint batch_item_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict
);
create index batch_item_media_idx on core.batch_item (media_id);
comment on table core.batch_item is 'A chosen media with its score and reason.';
comment on column core.batch_item.batch_id is 'The batch.';
comment on column core.batch_item.media_id is 'The chosen media.';
comment on column core.batch_item.rank is 'Order of choice, from 1.';
comment on column core.batch_item.score is 'Score by the strategy; larger was more wanted.';
comment on column core.batch_item.reason is 'Why, for a person.';

create table core.task (
    task_id bigint generated always as identity,
    kind text not null,
    media_id bigint not null,
    label_id bigint,
    state text not null default 'open',
    priority double precision not null default 0,
    assignee_id bigint,
    lease_until timestamptz,
    batch_id bigint,
    created_at timestamptz not null default now(),
    claimed_at timestamptz,
    done_at timestamptz,
    constraint task_pk primary key (task_id),
    constraint task_kind_check check (kind in ('label', 'review', 'adjudicate')),
    constraint task_label_check check ((kind = 'label') = (label_id is null)),
    constraint task_state_check check (state in ('open', 'claimed', 'done', 'skipped')),
    constraint task_claim_check check (
        (state = 'claimed') = (lease_until is not null)
        and (state <> 'claimed' or assignee_id is not null)),
    constraint task_done_check check ((state in ('done', 'skipped')) = (done_at is not null)),
    constraint task_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict,
    constraint task_label_fk foreign key (label_id)
        references core.label (label_id) on delete restrict,
    constraint task_assignee_fk foreign key (assignee_id)
        references core.actor (actor_id) on delete restrict,
    constraint task_batch_fk foreign key (batch_id)
        references core.batch (batch_id) on delete set null
);
create unique index task_pending_key on core.task (kind, media_id, coalesce(label_id, 0))
    where state in ('open', 'claimed');
create index task_queue_idx on core.task (kind, priority desc, task_id) where state in ('open', 'claimed');
create index task_media_idx on core.task (media_id);
create index task_label_idx on core.task (label_id) where label_id is not null;
create index task_assignee_idx on core.task (assignee_id) where assignee_id is not null;
create index task_batch_idx on core.task (batch_id) where batch_id is not null;
call core.protect('core.task');
call core.make_permanent('core.task', 'task_id');
call core.refer('core.label', '{
    {media_id, core.media, media_id},
    {class_id, core.class, class_id},
    {actor_id, core.actor, actor_id},
    {task_id, core.task, task_id},
    {run_id, core.run, run_id}
}');
comment on table core.task is 'Work for a person on a media; claimed by lease, so that nobody waits for who went home.';
comment on column core.task.task_id is 'Identity of the task.';
comment on column core.task.kind is 'label (say what it is), review (judge a label) or adjudicate (settle a dispute).';
comment on column core.task.media_id is 'The media to look at.';
comment on column core.task.label_id is 'The label to judge; null for a label task.';
comment on column core.task.state is 'open, claimed, done or skipped.';
comment on column core.task.priority is 'Larger comes first.';
comment on column core.task.assignee_id is 'Who claimed it last.';
comment on column core.task.lease_until is 'Until when the claim holds; after that anybody may claim it.';
comment on column core.task.batch_id is 'The batch that asked for it.';
comment on column core.task.created_at is 'When it was made.';
comment on column core.task.claimed_at is 'When it was claimed last.';
comment on column core.task.done_at is 'When it was done or skipped.';

create table core.review (
    review_id bigint generated always as identity,
    label_id bigint not null,
    reviewer_id bigint not null,
    verdict text not null,
    corrected_label_id bigint,
    reason text,
    task_id bigint,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint review_pk primary key (review_id),
    constraint review_verdict_check check (verdict in ('accepted', 'corrected', 'rejected')),
    constraint review_corrected_check check ((verdict = 'corrected') = (corrected_label_id is not null)),
    constraint review_rev_check check (rev_to > rev_from),
    constraint review_label_fk foreign key (label_id)
        references core.label (label_id) on delete restrict,
    constraint review_corrected_fk foreign key (corrected_label_id)
        references core.label (label_id) on delete restrict,
    constraint review_reviewer_fk foreign key (reviewer_id)
        references core.actor (actor_id) on delete restrict,
    constraint review_task_fk foreign key (task_id) references core.task (task_id) on delete restrict
);
create unique index review_live_key on core.review (label_id, reviewer_id) where rev_to is null;
create index review_label_idx on core.review (label_id);
create index review_corrected_idx on core.review (corrected_label_id) where corrected_label_id is not null;
create index review_reviewer_idx on core.review (reviewer_id);
create index review_task_idx on core.review (task_id) where task_id is not null;
create index review_rev_from_idx on core.review (rev_from);
create index review_rev_to_idx on core.review (rev_to) where rev_to is not null;
call core.make_versioned('core.review');
comment on table core.review is 'A reviewer''s verdict on one state of a label.';
comment on column core.review.review_id is 'Identity of the review.';
comment on column core.review.label_id is 'The judged label row.';
comment on column core.review.reviewer_id is 'Who judged; never the label''s own actor.';
comment on column core.review.verdict is 'accepted, corrected (another label replaced it) or rejected (it was closed).';
comment on column core.review.corrected_label_id is 'The label row that replaced it.';
comment on column core.review.reason is 'Why, for a person.';
comment on column core.review.task_id is 'The task it answered.';
comment on column core.review.created_at is 'When, for people; order is told by rev_from.';
comment on column core.review.rev_from is 'Revision at which the verdict was given.';
comment on column core.review.rev_to is 'Revision at which it was withdrawn; null while it holds.';

create function core.refuse_own_review() returns trigger
language plpgsql as $$
begin
    if exists (
        select from core.label as l
        where l.label_id = new.label_id and l.actor_id = new.reviewer_id
    ) then
        raise exception 'label % is the reviewer''s own', new.label_id
            using errcode = 'SD002', hint = 'ask another reviewer';
    end if;
    return new;
end
$$;
comment on function core.refuse_own_review() is 'Row trigger: nobody reviews their own label.';
create trigger refuse_own_review before insert on core.review
    for each row execute function core.refuse_own_review();

create table core.label_issue (
    issue_id bigint generated always as identity,
    label_id bigint not null,
    kind text not null,
    score real not null,
    suggested_class_id bigint,
    state text not null default 'open',
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint label_issue_pk primary key (issue_id),
    constraint label_issue_label_kind_key unique (label_id, kind),
    constraint label_issue_kind_check check (kind ~ '^[a-z_]+$'),
    constraint label_issue_score_check check (score between 0 and 1),
    constraint label_issue_state_check check (state in ('open', 'confirmed', 'dismissed'))
);
create index label_issue_queue_idx on core.label_issue (score desc, issue_id) where state = 'open';
create index label_issue_run_idx on core.label_issue (run_id);
call core.refer('core.label_issue', '{
    {label_id, core.label, label_id},
    {suggested_class_id, core.class, class_id},
    {run_id, core.run, run_id}
}');
comment on table core.label_issue is
    'A suspected label error: a question for a reviewer, not a verdict. Resolving it keeps the answer.';
comment on column core.label_issue.issue_id is 'Identity of the suspicion.';
comment on column core.label_issue.label_id is 'The suspected label row.';
comment on column core.label_issue.kind is 'swapped (another class is likelier), overlooked, badly_placed, duplicate, ...';
comment on column core.label_issue.score is 'How suspicious, 0 to 1; larger first.';
comment on column core.label_issue.suggested_class_id is 'The class that the detector would give.';
comment on column core.label_issue.state is 'open, confirmed (it was wrong) or dismissed (it was right).';
comment on column core.label_issue.run_id is 'The run that found it last.';
comment on column core.label_issue.created_at is 'When it was found first.';
