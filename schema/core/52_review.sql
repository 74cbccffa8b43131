-- Reviewing: verdicts on labels, and which verdict may follow which.

create table core.review_transition (
    state text not null,
    verdict text not null,
    judge text not null,
    next_state text not null,
    note text not null,
    constraint review_transition_pk primary key (state, verdict),
    constraint review_transition_state_check check (
        state in ('unreviewed', 'accepted', 'corrected', 'rejected', 'disputed', 'adjudicated')),
    constraint review_transition_verdict_check check (verdict in ('accepted', 'corrected', 'rejected', 'disputed')),
    constraint review_transition_judge_check check (judge in ('reviewer', 'disputant', 'adjudicator')),
    constraint review_transition_next_check check (
        next_state in ('accepted', 'corrected', 'rejected', 'disputed', 'adjudicated'))
);
comment on table core.review_transition is
    'The review states of a label and all the ways from one to the next; what is not here is refused. Besides, an edit makes a '
    'new row of the label, which is unreviewed, and who gave the last verdict may withdraw it, unless it was an adjudication.';
comment on column core.review_transition.state is
    'The state before: unreviewed, accepted, corrected (a reviewer wrote this row, or another took its place), rejected, '
    'disputed or adjudicated.';
comment on column core.review_transition.verdict is 'What is said: accepted, corrected, rejected or disputed.';
comment on column core.review_transition.judge is
    'Who may: a reviewer (wrote no row of this label), a disputant (did not give the last verdict; its author may), or an '
    'adjudicator (neither wrote nor reviewed nor disputed it).';
comment on column core.review_transition.next_state is 'The state after.';
comment on column core.review_transition.note is 'What that means.';
insert into core.review_transition (state, verdict, judge, next_state, note) values
('unreviewed', 'accepted', 'reviewer', 'accepted', 'it stands'),
('unreviewed', 'corrected', 'reviewer', 'corrected', 'another row takes its place'),
('unreviewed', 'rejected', 'reviewer', 'rejected', 'it is closed'),
('accepted', 'accepted', 'reviewer', 'accepted', 'two reviewers agree'),
('accepted', 'corrected', 'reviewer', 'disputed', 'two reviewers differ; it stands until that is settled'),
('accepted', 'rejected', 'reviewer', 'disputed', 'two reviewers differ; it stands until that is settled'),
('accepted', 'disputed', 'disputant', 'disputed', 'somebody objects; it stands until that is settled'),
('corrected', 'accepted', 'reviewer', 'accepted', 'a second reviewer finds the correction right'),
('corrected', 'corrected', 'reviewer', 'disputed', 'two reviewers differ; the correction stands until that is settled'),
('corrected', 'rejected', 'reviewer', 'disputed', 'two reviewers differ; the correction stands until that is settled'),
('corrected', 'disputed', 'disputant', 'disputed', 'its author objects; the correction stands until that is settled'),
('rejected', 'disputed', 'disputant', 'disputed', 'its author objects; it stays closed until that is settled'),
('disputed', 'accepted', 'adjudicator', 'adjudicated', 'it stands, or is opened again'),
('disputed', 'corrected', 'adjudicator', 'adjudicated', 'the adjudicator''s row takes its place'),
('disputed', 'rejected', 'adjudicator', 'adjudicated', 'it is closed');

create table core.review (
    review_id bigint generated always as identity,
    label_id bigint not null,
    media_id bigint not null,
    reviewer_id bigint not null,
    verdict text not null,
    state_before text not null,
    state text not null,
    correction jsonb,
    corrected_label_id bigint,
    reason text,
    task_id bigint,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint review_pk primary key (review_id),
    constraint review_verdict_check check (verdict in ('accepted', 'corrected', 'rejected', 'disputed')),
    constraint review_state_check check (state in ('accepted', 'corrected', 'rejected', 'disputed', 'adjudicated')),
    constraint review_corrected_check check (
        case when state = 'disputed' then corrected_label_id is null
            when verdict = 'corrected' then corrected_label_id is not null
            else corrected_label_id is null or (verdict = 'accepted' and state = 'adjudicated') end),
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
create index review_media_idx on core.review (media_id);
create index review_reviewer_idx on core.review (reviewer_id);
create index review_task_idx on core.review (task_id) where task_id is not null;
create index review_rev_from_idx on core.review (rev_from);
create index review_rev_to_idx on core.review (rev_to) where rev_to is not null;
call core.make_versioned('core.review');
call core.protect('core.review');
comment on table core.review is
    'A verdict on one row of a label. Triggers see that it may follow what was said before, and do what it says.';
comment on column core.review.review_id is 'Identity of the review.';
comment on column core.review.label_id is 'The judged label row, the newest of its label.';
comment on column core.review.media_id is 'Its media.';
comment on column core.review.reviewer_id is 'Who judged: nobody who wrote a row of this label, except to dispute.';
comment on column core.review.verdict is
    'accepted, corrected (another row is to take its place), rejected (it is to be closed) or disputed (the verdict before is '
    'objected to).';
comment on column core.review.state_before is 'The review state of the label before; set by a trigger.';
comment on column core.review.state is
    'The review state of the label after: accepted, corrected, rejected, disputed (nothing changes until it is settled) or '
    'adjudicated; set by a trigger.';
comment on column core.review.correction is
    'What a reviewer who differs would have instead, as changes to the label row: kept for the adjudicator.';
comment on column core.review.corrected_label_id is 'The label row that took its place, or (accepted) that opened it again.';
comment on column core.review.reason is 'Why, for a person.';
comment on column core.review.task_id is 'The task it answered.';
comment on column core.review.created_at is 'When, for people; order is told by rev_from.';
comment on column core.review.rev_from is 'Revision at which the verdict was given.';
comment on column core.review.rev_to is 'Revision at which it was withdrawn; null while it holds.';
