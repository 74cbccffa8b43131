-- The conditions that every label must fulfil, and how many live labels do not, as found last.
create view smartdb.label_rule as
select
    r.name, r.predicate, r.note, r.created_at,
    (
        select count(*) from smartdb.label_issue as i
        where i.kind = 'rule_broken' and i.state = 'open' and i.is_live and i.detail -> 'rules' ? r.name
    ) as n_broken
from core.label_rule as r;

comment on view smartdb.label_rule is 'The conditions that every label must fulfil; those that do not are issues of kind rule_broken.';
comment on column smartdb.label_rule.name is 'Name of the rule.';
comment on column smartdb.label_rule.predicate is 'One SQL condition on smartdb.label, read as l; a label where it is null fulfils it.';
comment on column smartdb.label_rule.note is 'Why.';
comment on column smartdb.label_rule.created_at is 'When it was made.';
comment on column smartdb.label_rule.n_broken is 'Live labels that did not fulfil it when it was checked last, and are not decided.';

-- example:
--   select name, predicate, n_broken from smartdb.label_rule
-- result:
--   boxes are not tiny | l.kind <> 'box' or l.w * l.h > 64 | 0
