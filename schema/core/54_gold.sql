-- Reviewing: labels that are known to be true, by which annotators, models and thresholds are measured.

create table core.gold (
    gold_id bigint generated always as identity,
    label_id bigint not null,
    actor_id bigint not null,
    reason text,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint gold_pk primary key (gold_id),
    constraint gold_rev_check check (rev_to > rev_from)
);
create unique index gold_live_key on core.gold (label_id) where rev_to is null;
call core.make_versioned('core.gold');
call core.refer('core.gold', '{
    {label_id, core.label, label_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.gold is 'A label row that is taken for the truth while both it and this mark are live.';
comment on column core.gold.gold_id is 'Identity of the mark.';
comment on column core.gold.label_id is 'The label row.';
comment on column core.gold.actor_id is 'Who says so.';
comment on column core.gold.reason is 'Why, for a person.';
comment on column core.gold.created_at is 'When, for people; order is told by rev_from.';
comment on column core.gold.rev_from is 'Revision at which it became so.';
comment on column core.gold.rev_to is 'Revision at which it was withdrawn; null while it holds.';

create table core.gold_score (
    task_id bigint not null,
    media_id bigint not null,
    actor_id bigint not null,
    n_gold integer not null,
    n_given integer not null,
    n_matched integer not null,
    score real not null generated always as (
        2 * n_matched::real / nullif(n_gold + n_given, 0)) stored,
    created_at timestamptz not null default now(),
    constraint gold_score_pk primary key (task_id),
    constraint gold_score_counts_check check (
        n_gold >= 1 and n_given >= 0 and n_matched between 0 and least(n_gold, n_given))
);
create index gold_score_media_idx on core.gold_score (media_id);
create index gold_score_actor_idx on core.gold_score (actor_id);
call core.protect('core.gold_score');
call core.refer('core.gold_score', '{
    {task_id, core.task, task_id},
    {media_id, core.media, media_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.gold_score is
    'An answer to a task whose media has gold labels, held against them as they were when it was scored.';
comment on column core.gold_score.task_id is 'The answered task.';
comment on column core.gold_score.media_id is 'Its media.';
comment on column core.gold_score.actor_id is 'Who answered.';
comment on column core.gold_score.n_gold is 'Gold labels of the kinds that the project asks for.';
comment on column core.gold_score.n_given is 'Labels of these kinds that the person gave.';
comment on column core.gold_score.n_matched is
    'Pairs of the two: the same class and kind and, where there is a box, boxes that overlap by half (IoU).';
comment on column core.gold_score.score is 'F1 of the answer, 0 to 1: 1 is all of the gold labels and nothing else.';
comment on column core.gold_score.created_at is 'When it was scored.';
