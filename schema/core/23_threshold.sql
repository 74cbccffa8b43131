-- Sourcing: from which value on a statistic of a picture becomes a finding. Data, so a team sets its own.

create table core.quality_threshold (
    kind text not null,
    statistic text not null,
    below double precision,
    above double precision,
    constraint quality_threshold_pk primary key (kind),
    constraint quality_threshold_kind_check check (
        kind ~ '^[a-z_]+$' and kind not in ('gps', 'wrong_extension', 'face', 'plate')),
    constraint quality_threshold_statistic_check check (statistic in (
        'brightness', 'contrast', 'sharpness', 'entropy', 'colourfulness', 'shorter_side', 'aspect')),
    constraint quality_threshold_side_check check (num_nonnulls(below, above) >= 1)
);
comment on table core.quality_threshold is
    'Findings made of statistics: a media has the finding if its statistic lies below the one or above the other.';
comment on column core.quality_threshold.kind is 'Kind of the finding; not one that another check finds.';
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

create view core.quality_finding as
select q.media_id, t.kind, s.value::real as score
from core.quality as q
join core.media as m using (media_id)
cross join core.quality_threshold as t
cross join lateral (
    select
        case t.statistic
            when 'brightness' then q.brightness
            when 'contrast' then q.contrast
            when 'sharpness' then q.sharpness
            when 'entropy' then q.entropy
            when 'colourfulness' then q.colourfulness
            when 'shorter_side' then least(m.width, m.height)
            when 'aspect' then greatest(m.width, m.height) / least(m.width, m.height)::double precision
        end as value
) as s
where s.value < t.below or s.value > t.above;
comment on view core.quality_finding is 'What the thresholds find in the statistics as both are now.';
comment on column core.quality_finding.media_id is 'The media.';
comment on column core.quality_finding.kind is 'Kind of the finding.';
comment on column core.quality_finding.score is 'Value of the statistic.';

create function core.find_quality(media_ids bigint[], run bigint) returns void
language sql security definer
begin atomic
    insert into core.finding (media_id, kind, score, run_id)
    select f.media_id, f.kind, f.score, run
    from core.quality_finding as f
    where f.media_id = any (media_ids)
    order by f.media_id, f.kind
    on conflict (media_id, kind, region) do nothing;
end;
comment on function core.find_quality(bigint[], bigint) is
    'Records what the thresholds find in the statistics of media, restricted ones included; what is there already stays.';

create function core.derive_findings(kinds text[], run bigint, out n_added bigint, out n_removed bigint)
language sql security definer
begin atomic
    with gone as (
        delete from core.finding as f
        where
            f.kind = any (kinds) and f.resolution is null and f.region is null
            and not exists (
                select from core.quality_finding as q where q.media_id = f.media_id and q.kind = f.kind
            )
        returning f.finding_id
    ),
    come as (
        insert into core.finding as f (media_id, kind, score, run_id)
        select q.media_id, q.kind, q.score, run
        from core.quality_finding as q
        where q.kind = any (kinds)
        order by q.media_id, q.kind
        on conflict (media_id, kind, region) do update set score = excluded.score
        where f.resolution is null and f.score is distinct from excluded.score
        returning f.xmax = 0 as is_new
    )
    select (select count(*) from come where come.is_new), (select count(*) from gone);
end;
comment on function core.derive_findings(text[], bigint) is
    'After a change of thresholds: adds the findings of these kinds that are due now and removes open ones that are '
    'not, from the statistics alone, restricted media included. What a person has resolved stays as it is.';
