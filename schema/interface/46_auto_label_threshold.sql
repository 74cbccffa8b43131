-- From which confidence on each method of automated labelling writes labels, as gold told.
create view smartdb.auto_label_threshold as
select
    a.name as method, o.name as ontology, t.kind, c.name as class, t.confidence, t.precision_wanted, t.precision_low,
    t.n_gold, t.n_above, t.n_correct, t.reason, t.level, t.bound, t.run_id,
    t.run_id = max(t.run_id) over (partition by t.actor_id, t.ontology_id, t.kind) as is_current
from core.auto_label_threshold as t
join core.run as r on r.run_id = t.run_id and r.status = 'succeeded'
join core.actor as a on a.actor_id = t.actor_id
join core.ontology as o on o.ontology_id = t.ontology_id
left join core.class as c on c.class_id = t.class_id;

comment on view smartdb.auto_label_threshold is
    'From which confidence on each method of automated labelling wrote labels, run by run, and where it wrote none, why.';
comment on column smartdb.auto_label_threshold.method is 'The method, an actor.';
comment on column smartdb.auto_label_threshold.ontology is 'The ontology whose classes it gives.';
comment on column smartdb.auto_label_threshold.kind is 'classification or box.';
comment on column smartdb.auto_label_threshold.class is 'The class it holds for; null: all together.';
comment on column smartdb.auto_label_threshold.confidence is 'Labels at least as sure were written; null: none.';
comment on column smartdb.auto_label_threshold.precision_wanted is 'Share of labels that shall be right.';
comment on column smartdb.auto_label_threshold.precision_low is 'Lower bound of the precision, on gold, of what is at least as sure (without a threshold: of all).';
comment on column smartdb.auto_label_threshold.n_gold is 'On how many gold items the method said something.';
comment on column smartdb.auto_label_threshold.n_above is 'On how many of them with at least this confidence; without a threshold on all.';
comment on column smartdb.auto_label_threshold.n_correct is 'How often it was right in these.';
comment on column smartdb.auto_label_threshold.reason is 'Why there is no threshold.';
comment on column smartdb.auto_label_threshold.level is 'How sure the bound is.';
comment on column smartdb.auto_label_threshold.bound is 'How it is computed: clopper_pearson or wilson.';
comment on column smartdb.auto_label_threshold.run_id is 'The run.';
comment on column smartdb.auto_label_threshold.is_current is 'Whether it is of the newest run of the method for that ontology and kind.';

-- example:
--   select method, kind, confidence, n_gold, n_above, n_correct, precision_low, is_current from
--   smartdb.auto_label_threshold order by run_id
-- result:
--   labelling functions | classification | 0.84 | 60 | 40 | 40 | 0.9278 | True
