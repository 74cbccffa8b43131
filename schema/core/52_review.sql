-- Reviewing: verdicts on labels.

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
