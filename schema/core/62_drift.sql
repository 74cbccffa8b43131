-- Managing: drift, how far two parts of the media are apart.

create table core.drift (
    run_id bigint not null,
    statistic text not null,
    measure text not null,
    distance double precision not null,
    psi double precision,
    p double precision,
    n_a bigint not null,
    n_b bigint not null,
    constraint drift_pk primary key (run_id, statistic),
    constraint drift_measure_check check (measure in ('ks', 'total_variation', 'share', 'mmd')),
    constraint drift_distance_check check (distance >= 0),
    constraint drift_p_check check (p between 0 and 1),
    constraint drift_run_fk foreign key (run_id) references core.run (run_id) on delete cascade
);
comment on table core.drift is
    'How far two parts of the media are apart in one statistic; which parts, the run''s parameters a and b say.';
comment on column core.drift.run_id is 'The run that compared.';
comment on column core.drift.statistic is
    'brightness, contrast, sharpness, entropy, colourfulness; class (all of them); class NAME (one of them); encoder NAME.';
comment on column core.drift.measure is
    'What distance is: ks (largest difference of the distribution functions), total_variation (half the sum of the differences of '
    'the shares), share (difference of the share of one class), mmd (maximum mean discrepancy of the vectors).';
comment on column core.drift.distance is 'The distance: 0 is alike, 1 is no overlap.';
comment on column core.drift.psi is
    'Population stability index, of one class its part in it; above 0.25 is usually called a large change. Null for vectors.';
comment on column core.drift.p is 'How often chance alone gives this distance or more: Kolmogorov-Smirnov, chi-square, permutation.';
comment on column core.drift.n_a is 'Media of a that were compared.';
comment on column core.drift.n_b is 'Media of b that were compared.';
