-- name: save
-- Makes a rule, or changes its predicate and note.
insert into core.label_rule (name, predicate, note) values (%(name)s, %(predicate)s, %(note)s)
on conflict (name) do update set
    predicate = excluded.predicate, note = coalesce(excluded.note, core.label_rule.note);

-- name: drop
-- Forgets a rule.
delete from core.label_rule as r where r.name = %(name)s;

-- name: count_broken
-- How many live labels do not fulfil a predicate.
select count(*) from smartdb.broken_label(%(predicate)s);

-- name: rules
-- The rules by name, and how many labels broke each when they were checked last.
select r.name, r.predicate, r.note, r.n_broken from smartdb.label_rule as r order by r.name;

-- name: stage
-- Makes the table of the labels that break a rule.
drop table if exists pg_temp.broken;
create temp table broken (label_id bigint, rule text) on commit drop;

-- name: stage_broken
-- Adds the labels that do not fulfil a predicate.
insert into pg_temp.broken (label_id, rule)
select b.label_id, %(name)s from smartdb.broken_label(%(predicate)s) as b;

-- name: add_broken
-- Suspects the labels that break rules, unless a reviewer has decided; says which rules.
insert into core.label_issue as i (media_id, label_id, kind, score, detail, run_id)
select l.media_id, l.label_id, 'rule_broken', 1, jsonb_build_object('rules', b.rules), %(run_id)s
from (
    select s.label_id, jsonb_agg(s.rule order by s.rule) as rules from pg_temp.broken as s group by s.label_id
) as b
join core.label as l on l.label_id = b.label_id
where
    not exists (
        select from core.review as r
        where r.label_id = b.label_id and r.verdict = 'accepted' and r.rev_to is null
    )
order by l.label_id
on conflict (label_id, kind) do update set detail = excluded.detail, run_id = excluded.run_id
where i.state = 'open'
returning i.xmax = 0 as is_new;

-- name: drop_mended
-- Drops open issues of labels that break no rule any more, or were closed.
delete from core.label_issue as i
using core.label as l
where
    l.label_id = i.label_id and i.kind = 'rule_broken' and i.state = 'open'
    and (
        l.rev_to is not null
        or not exists (select from pg_temp.broken as b where b.label_id = i.label_id)
    )
returning i.label_id;
