-- Managing: prunings, each an order in which media are worth keeping, with what each fraction covers.
-- Nothing is ever deleted by one: it is read by predicates, slices and the next dataset version.

create table core.pruning (
    pruning_id bigint generated always as identity,
    method text not null,
    parameters jsonb not null default '{}',
    seed bigint not null,
    run_id bigint not null,
    encoder_id bigint,
    predicate text not null,
    n_candidates integer not null,
    n_kept integer,
    inputs_sha256 bytea not null,
    created_at timestamptz not null default now(),
    constraint pruning_pk primary key (pruning_id),
    constraint pruning_method_check check (
        method in ('semdedup', 'duplicates', 'quality', 'el2n', 'forgetting', 'prototypes', 'random')),
    constraint pruning_n_check check (n_candidates >= 1 and n_kept between 0 and n_candidates),
    constraint pruning_inputs_check check (octet_length(inputs_sha256) = 32),
    constraint pruning_run_fk foreign key (run_id) references core.run (run_id) on delete restrict,
    constraint pruning_encoder_fk foreign key (encoder_id)
        references core.encoder (encoder_id) on delete restrict
);
create index pruning_run_idx on core.pruning (run_id);
create index pruning_encoder_idx on core.pruning (encoder_id);
call core.make_permanent('core.pruning', 'pruning_id');
comment on table core.pruning is 'A plan of what to keep: candidates in the order in which a method would keep them.';
comment on column core.pruning.pruning_id is 'Identity of the plan.';
comment on column core.pruning.method is 'semdedup, duplicates, quality, el2n, forgetting, prototypes or random.';
comment on column core.pruning.parameters is 'Its arguments, such as eps, side, runs, kinds.';
comment on column core.pruning.seed is 'Seed of clusters and of the order of ties.';
comment on column core.pruning.run_id is 'The run that computed it.';
comment on column core.pruning.encoder_id is 'Encoder whose vectors were compared, or by which coverage is measured; null: none.';
comment on column core.pruning.predicate is 'Condition on smartdb.media, read as m, that chose the candidates.';
comment on column core.pruning.n_candidates is 'Number of candidates.';
comment on column core.pruning.n_kept is
    'How many of the first the method itself would keep (no duplicates, good enough); null: it only orders.';
comment on column core.pruning.inputs_sha256 is 'SHA-256 of the candidates and of the facts about them that went in.';
comment on column core.pruning.created_at is 'When it was stored.';

create table core.pruning_item (
    pruning_id bigint not null,
    media_id bigint not null,
    rank integer not null,
    score double precision not null,
    reason text not null,
    kept_by bigint,
    constraint pruning_item_pk primary key (media_id, pruning_id),
    constraint pruning_item_rank_key unique (pruning_id, rank),
    constraint pruning_item_rank_check check (rank >= 1),
    constraint pruning_item_score_check check (score <> 'NaN'),
    constraint pruning_item_kept_by_check check (kept_by <> media_id)
);
create index pruning_item_kept_by_idx on core.pruning_item (kept_by) where kept_by is not null;
call core.protect('core.pruning_item');
call core.refer('core.pruning_item', '{
    {pruning_id, core.pruning, pruning_id},
    {media_id, core.media, media_id},
    {kept_by, core.media, media_id}
}');
comment on table core.pruning_item is 'A candidate of a pruning, with its place in the order of keeping and why.';
comment on column core.pruning_item.pruning_id is 'The pruning.';
comment on column core.pruning_item.media_id is 'The candidate.';
comment on column core.pruning_item.rank is '1 is kept longest; a fraction keeps the first of all.';
comment on column core.pruning_item.score is 'Score by the method; larger is kept longer.';
comment on column core.pruning_item.reason is 'Why, for a person.';
comment on column core.pruning_item.kept_by is
    'The candidate that represents it, where the method takes it for a duplicate; null otherwise.';

create table core.pruning_point (
    pruning_id bigint not null,
    keep double precision not null,
    n_kept integer not null,
    n_probes integer,
    mean_distance real,
    p95_distance real,
    clusters_hit real,
    n_classes integer,
    smallest_class integer,
    class_distance real,
    duplicates_dropped real,
    constraint pruning_point_pk primary key (pruning_id, keep),
    constraint pruning_point_keep_check check (keep between 0 and 1),
    constraint pruning_point_probes_check check (
        (n_probes is null) = (clusters_hit is null)
        and (n_probes is not null or num_nonnulls(mean_distance, p95_distance) = 0)),
    constraint pruning_point_fk foreign key (pruning_id)
        references core.pruning (pruning_id) on delete restrict
);
comment on table core.pruning_point is 'What a pruning leaves at a fraction kept: numbers to decide by.';
comment on column core.pruning_point.pruning_id is 'The pruning.';
comment on column core.pruning_point.keep is 'Fraction of the candidates that is kept, 0 to 1.';
comment on column core.pruning_point.n_kept is 'How many that is.';
comment on column core.pruning_point.n_probes is
    'Candidates whose distance to the nearest kept was measured: all, or 5,000 at random; null: without vectors.';
comment on column core.pruning_point.mean_distance is
    'Mean cosine distance of the candidates to the nearest that is kept; null if none is.';
comment on column core.pruning_point.p95_distance is 'The distance that 95 % of the candidates do not exceed.';
comment on column core.pruning_point.clusters_hit is
    'Share of the clusters of the candidates (k-means, sqrt(n / 2) of them, at most 100) of which at least one media is kept.';
comment on column core.pruning_point.n_classes is 'Classes of which at least one media is kept; null: no candidate has a class.';
comment on column core.pruning_point.smallest_class is 'Kept media of the class that has the fewest, of those among the candidates.';
comment on column core.pruning_point.class_distance is
    'Total variation distance of the class shares of the kept from those of the candidates, 0 to 1.';
comment on column core.pruning_point.duplicates_dropped is
    'Share of the repetition in near-duplicate groups that is gone; null: the candidates have none.';
