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
