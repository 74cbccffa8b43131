-- Who and what writes: actors (people, models, importers) and runs (every job that derives rows).

create table core.actor (
    actor_id bigint generated always as identity,
    name text not null,
    kind text not null,
    created_at timestamptz not null default now(),
    constraint actor_pk primary key (actor_id),
    constraint actor_name_key unique (name),
    constraint actor_name_check check (name <> ''),
    constraint actor_kind_check check (kind in ('person', 'model', 'import'))
);
call core.make_permanent('core.actor', 'actor_id');
comment on table core.actor is 'A person, a model or an importer that writes labels and reviews.';
comment on column core.actor.actor_id is 'Identity of the actor.';
comment on column core.actor.name is 'Unique name, as shown to people.';
comment on column core.actor.kind is 'person, model or import (labels that came with the files).';
comment on column core.actor.created_at is 'When the actor was first seen.';

create table core.run (
    run_id bigint generated always as identity,
    kind text not null,
    status text not null default 'running',
    code_version text not null,
    parameters jsonb not null default '{}',
    seed bigint,
    counts jsonb not null default '{}',
    error text,
    dagster_run_id text,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    constraint run_pk primary key (run_id),
    constraint run_kind_check check (kind <> ''),
    constraint run_status_check check (status in ('running', 'succeeded', 'failed')),
    constraint run_finished_check check ((status = 'running') = (finished_at is null))
);
create index run_kind_idx on core.run (kind, run_id);
call core.make_permanent('core.run', 'run_id');
comment on table core.run is
    'Every job that derives rows: what ran, with which code, parameters and seed, and how it ended.';
comment on column core.run.run_id is 'Identity of the run; a larger number started later.';
comment on column core.run.kind is 'What it did: ingest, embed, neighbours, label_issues, train, ...';
comment on column core.run.status is
    'running, succeeded or failed. A run whose process was killed stays running until '
    'smartdb doctor or the next run of its kind marks it failed.';
comment on column core.run.code_version is 'Version of smartdb that ran.';
comment on column core.run.parameters is 'Arguments of the job.';
comment on column core.run.seed is 'Random seed, where the job uses one.';
comment on column core.run.counts is 'What it did in numbers, for instance {"added": 10, "refused": 1}.';
comment on column core.run.error is 'Message of the failure.';
comment on column core.run.dagster_run_id is 'Id of the Dagster run that called it, if one did.';
comment on column core.run.started_at is 'When it started.';
comment on column core.run.finished_at is 'When it ended; null while it runs.';
