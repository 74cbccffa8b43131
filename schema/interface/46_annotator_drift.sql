-- Annotators' answers by the hundred, and where one became better or worse.
create view smartdb.annotator_drift as
select
    d.actor, d.ontology, d.block, d.n, d.from_at, d.to_at, d.agreement, d.earlier_agreement, d.z, d.p, d.is_drift
from smartdb.annotator_drift_by(100) as d;

comment on view smartdb.annotator_drift is
    'Each annotator''s answers by the hundred: where is_drift, they are better or worse than all before by more than chance.';
comment on column smartdb.annotator_drift.actor is 'Whose answers.';
comment on column smartdb.annotator_drift.ontology is 'Whose classes.';
comment on column smartdb.annotator_drift.block is 'Number of the hundred, from 1 in order of time.';
comment on column smartdb.annotator_drift.n is 'Answers in it for which there is gold or a consensus.';
comment on column smartdb.annotator_drift.from_at is 'When the first was given.';
comment on column smartdb.annotator_drift.to_at is 'When the last was given.';
comment on column smartdb.annotator_drift.agreement is 'Share of them that say what gold, else the consensus says.';
comment on column smartdb.annotator_drift.earlier_agreement is 'The same share of all that the annotator answered before.';
comment on column smartdb.annotator_drift.z is 'Test statistic of the difference (pooled test of two proportions).';
comment on column smartdb.annotator_drift.p is 'Its two-sided p; null where there are too few answers to tell.';
comment on column smartdb.annotator_drift.is_drift is 'Whether p is below 0.05 divided by the number of the annotator''s blocks.';

-- example:
--   select count(*) from smartdb.annotator_drift
-- result:
--   2
