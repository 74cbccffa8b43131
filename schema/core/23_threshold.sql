-- Sourcing: from which value on a statistic of a picture becomes a finding. Data, so a team sets its own.

create table core.quality_threshold (
    kind text not null,
    statistic text not null,
    below double precision,
    above double precision,
    constraint quality_threshold_pk primary key (kind),
    constraint quality_threshold_kind_check check (kind ~ '^[a-z_]+$'),
    constraint quality_threshold_statistic_check check (statistic in (
        'brightness', 'contrast', 'sharpness', 'entropy', 'colourfulness', 'shorter_side', 'aspect')),
    constraint quality_threshold_side_check check (num_nonnulls(below, above) >= 1)
);
comment on table core.quality_threshold is
    'Findings made of statistics: a media has the finding if its statistic lies below the one or above the other.';
comment on column core.quality_threshold.kind is 'Kind of the finding.';
comment on column core.quality_threshold.statistic is
    'Column of core.quality, shorter_side (pixels), or aspect (longer side by shorter side).';
comment on column core.quality_threshold.below is 'Smaller values are a finding; null is none.';
comment on column core.quality_threshold.above is 'Larger values are a finding; null is none.';

insert into core.quality_threshold (kind, statistic, below, above) values
('dark', 'brightness', 0.08, null),
('bright', 'brightness', null, 0.95),
('low_contrast', 'contrast', 0.03, null),
('blurry', 'sharpness', 30, null),
('low_information', 'entropy', 1, null),
('odd_size', 'shorter_side', 16, null),
('odd_aspect', 'aspect', null, 5),
('greyscale', 'colourfulness', 0.01, null);
