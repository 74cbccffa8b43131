-- Every job that derived rows.
create view smartdb.run as
select
    r.run_id, r.kind, r.status, r.counts, r.parameters, r.seed, r.error, r.code_version,
    r.dagster_run_id, r.started_at, r.finished_at,
    extract(epoch from r.finished_at - r.started_at)::double precision as seconds
from core.run as r;

comment on view smartdb.run is 'Every job that derived rows: what ran, with what, and how it ended.';
comment on column smartdb.run.run_id is 'Identity of the run.';
comment on column smartdb.run.kind is 'ingest, embed, neighbours, label_issues, train, ...';
comment on column smartdb.run.status is 'running, succeeded or failed.';
comment on column smartdb.run.counts is 'What it did, in numbers.';
comment on column smartdb.run.parameters is 'Arguments of the job.';
comment on column smartdb.run.seed is 'Random seed.';
comment on column smartdb.run.error is 'Message of the failure.';
comment on column smartdb.run.code_version is 'Version of smartdb that ran.';
comment on column smartdb.run.dagster_run_id is 'The Dagster run that called it.';
comment on column smartdb.run.started_at is 'When it started.';
comment on column smartdb.run.finished_at is 'When it ended.';
comment on column smartdb.run.seconds is 'How long it took.';

-- example:
--   select run_id, kind, status, counts, seconds from smartdb.run order by run_id limit 2
-- result:
--   1 | ingest | succeeded | {'added': 12, 'refused': 1} | 2
--   2 | embed | succeeded | {'embedded': 11} | 4
