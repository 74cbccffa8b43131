-- Reviewing: suspected label errors.

create table core.label_issue (
    issue_id bigint generated always as identity,
    media_id bigint not null,
    label_id bigint,
    kind text not null,
    score real not null,
    suggested_class_id bigint,
    suggestion jsonb,
    detail jsonb,
    state text not null default 'open',
    decided_by bigint,
    decided_at timestamptz,
    reason text,
    new_label_id bigint,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint label_issue_pk primary key (issue_id),
    constraint label_issue_label_kind_key unique (label_id, kind),
    constraint label_issue_kind_check check (kind ~ '^[a-z_]+$'),
    constraint label_issue_label_check check ((label_id is null) = (kind = 'overlooked')),
    constraint label_issue_score_check check (score between 0 and 1),
    constraint label_issue_state_check check (state in ('open', 'confirmed', 'dismissed'))
);
create index label_issue_queue_idx on core.label_issue (score desc, issue_id) where state = 'open';
create index label_issue_kind_queue_idx on core.label_issue (kind, score desc, issue_id) where state = 'open';
create unique index label_issue_overlooked_key on core.label_issue (media_id, suggestion) where label_id is null;
create index label_issue_media_idx on core.label_issue (media_id);
create index label_issue_run_idx on core.label_issue (run_id);
call core.protect('core.label_issue');
call core.refer('core.label_issue', '{
    {media_id, core.media, media_id},
    {label_id, core.label, label_id},
    {suggested_class_id, core.class, class_id},
    {decided_by, core.actor, actor_id},
    {new_label_id, core.label, label_id},
    {run_id, core.run, run_id}
}');
comment on table core.label_issue is
    'A suspected label error: a question for a reviewer, not a verdict. Resolving it keeps the answer.';
comment on column core.label_issue.issue_id is 'Identity of the suspicion.';
comment on column core.label_issue.media_id is 'The media.';
comment on column core.label_issue.label_id is 'The suspected label row; null where a label is missing (overlooked).';
comment on column core.label_issue.kind is 'swapped (another class is likelier), overlooked, badly_placed, duplicate, ...';
comment on column core.label_issue.score is 'How suspicious, 0 to 1; larger first.';
comment on column core.label_issue.suggested_class_id is 'The class that the detector would give.';
comment on column core.label_issue.suggestion is
    'What the detector would say instead, for instance {"kind": "box", "x": 4, "y": 2, "w": 9, "h": 9}; columns of core.label.';
comment on column core.label_issue.detail is
    'What it rests on, and is nothing to write: {"rules": [...]} that it breaks, {"label_id": ...} that it repeats.';
comment on column core.label_issue.state is 'open, confirmed (it was wrong) or dismissed (it was right).';
comment on column core.label_issue.decided_by is 'Who decided.';
comment on column core.label_issue.decided_at is 'When.';
comment on column core.label_issue.reason is 'Why, for a person.';
comment on column core.label_issue.new_label_id is 'The label that was added because it had been overlooked.';
comment on column core.label_issue.run_id is 'The run that found it last.';
comment on column core.label_issue.created_at is 'When it was found first.';
