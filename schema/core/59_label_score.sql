-- Reviewing: what each detector of label errors says of each label it examined, and the rules that
-- labels must fulfil. Scores lie in blocks, as columns: a row for each of 1,000,000 labels takes
-- 87 MB and 5.8 s to copy, insert and index, for one detector alone.

create table core.label_scoring (
    run_id bigint not null,
    detectors text[] not null,
    constraint label_scoring_pk primary key (run_id),
    constraint label_scoring_detectors_check check (cardinality(detectors) between 1 and 31)
);
call core.make_permanent('core.label_scoring', 'run_id');
call core.refer('core.label_scoring', '{{run_id, core.run, run_id}}');
comment on table core.label_scoring is 'A run that examined labels, by which detectors.';
comment on column core.label_scoring.run_id is 'The run.';
comment on column core.label_scoring.detectors is 'The detectors, in the order of their scores.';

create table core.label_score (
    run_id bigint not null,
    part bigint not null,
    label_ids bigint[] not null,
    scores real[] not null,
    suspects integer[] not null,
    constraint label_score_pk primary key (part, run_id),
    constraint label_score_fit_check check (
        cardinality(suspects) = cardinality(label_ids)
        and cardinality(scores) >= cardinality(label_ids)
        and cardinality(scores) % cardinality(label_ids) = 0)
);
alter table core.label_score
alter column label_ids set storage external,
alter column scores set storage external,
alter column suspects set storage external;
call core.refer('core.label_score', '{{run_id, core.label_scoring, run_id}}');
comment on table core.label_score is
    'What the detectors of a run say of the labels whose label_id / 1024 is the part: a block of columns.';
comment on column core.label_score.run_id is 'The run.';
comment on column core.label_score.part is 'label_id / 1024 of the labels in the block.';
comment on column core.label_score.label_ids is 'The examined label rows; null once their media was erased.';
comment on column core.label_score.scores is
    'How suspicious each label is, 0 to 1: those by the first detector, then those by the second, ...; NaN where it says nothing.';
comment on column core.label_score.suspects is 'Which detectors suspect the label: bit 0 is the first.';

create function core.forget_scores(labels bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    l bigint;
begin
    foreach l in array labels loop
        update core.label_score as s set label_ids = array_replace(s.label_ids, l, null)
        where s.part = l / 1024 and l = any (s.label_ids);
    end loop;
end
$$;
comment on function core.forget_scores(bigint[]) is
    'Leaves nothing that ties a score to one of these labels; the scores of the others stay where they are.';

create table core.label_rule (
    rule_id bigint generated always as identity,
    name text not null,
    predicate text not null,
    note text,
    created_at timestamptz not null default now(),
    constraint label_rule_pk primary key (rule_id),
    constraint label_rule_name_key unique (name),
    constraint label_rule_name_check check (name <> ''),
    constraint label_rule_predicate_check check (predicate <> '')
);
comment on table core.label_rule is 'A condition that every label must fulfil; labels that do not are issues of kind rule_broken.';
comment on column core.label_rule.rule_id is 'Identity of the rule.';
comment on column core.label_rule.name is 'What one calls it by.';
comment on column core.label_rule.predicate is 'One SQL condition on smartdb.label, read as l; a label where it is null fulfils it.';
comment on column core.label_rule.note is 'Why, for a person.';
comment on column core.label_rule.created_at is 'When it was made.';
