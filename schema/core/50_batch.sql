-- What samplers chose to work on next.

create table core.batch (
    batch_id bigint generated always as identity,
    strategy text not null,
    parameters jsonb not null default '{}',
    seed bigint not null,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint batch_pk primary key (batch_id),
    constraint batch_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
create index batch_run_idx on core.batch (run_id);
comment on table core.batch is 'What a sampler chose to work on next.';
comment on column core.batch.batch_id is 'Identity of the batch.';
comment on column core.batch.strategy is 'How it was chosen, for instance uncertain+diverse.';
comment on column core.batch.parameters is 'Arguments of the sampler.';
comment on column core.batch.seed is 'Its random seed: the same seed on the same data chooses the same media.';
comment on column core.batch.run_id is 'The run that chose.';
comment on column core.batch.created_at is 'When it was chosen.';

create table core.batch_item (
    batch_id bigint not null,
    media_id bigint not null,
    rank integer not null,
    score double precision not null,
    reason text not null,
    constraint batch_item_pk primary key (batch_id, media_id),
    constraint batch_item_rank_key unique (batch_id, rank),
    constraint batch_item_batch_fk foreign key (batch_id)
        references core.batch (batch_id) on delete cascade,
    constraint batch_item_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict
);
create index batch_item_media_idx on core.batch_item (media_id);
comment on table core.batch_item is 'A chosen media with its score and reason.';
comment on column core.batch_item.batch_id is 'The batch.';
comment on column core.batch_item.media_id is 'The chosen media.';
comment on column core.batch_item.rank is 'Order of choice, from 1.';
comment on column core.batch_item.score is 'Score by the strategy; larger was more wanted.';
comment on column core.batch_item.reason is 'Why, for a person.';
