-- Sourcing: what the terms of media come to. They act as the owner, because a media may derive from
-- one that is hidden from the caller and is bound by its terms all the same.

create function core.terms_above(child bigint)
returns table (
    source_ids bigint[], licence text, consent_basis text, allowed_use text[], jurisdiction text,
    expires_at timestamptz
)
language sql stable security definer
begin atomic
    with recursive above as (
        select m.parent_media_id as media_id, 1 as depth
        from core.media as m where m.media_id = child and m.parent_media_id is not null
        union all
        select m.parent_media_id, a.depth + 1
        from above as a join core.media as m on m.media_id = a.media_id
        where m.parent_media_id is not null
    ),
    stated as (select a.depth, t.* from above as a join core.media_terms as t on t.media_id = a.media_id)
    select
        array(
            select distinct l.source_id
            from above as a join core.media_location as l on l.media_id = a.media_id
        ),
        (select s.licence from stated as s where s.licence is not null order by s.depth limit 1),
        (select s.consent_basis from stated as s where s.consent_basis is not null order by s.depth limit 1),
        (select s.allowed_use from stated as s where s.allowed_use is not null order by s.depth limit 1),
        (select s.jurisdiction from stated as s where s.jurisdiction is not null order by s.depth limit 1),
        (select s.expires_at from stated as s where s.expires_at is not null order by s.depth limit 1);
end;
comment on function core.terms_above(bigint) is
    'What a derived media has from those it derives from: the sources they lie in, and the nearest terms stated for one of them.';

create function core.use_refused(purpose text, at timestamptz)
returns table (media_id bigint, reason text)
language sql stable security definer rows 10000
begin atomic
    with recursive derived as (
        select m.media_id, m.parent_media_id as above_id, 1 as depth
        from core.media as m where m.parent_media_id is not null
        union all
        select d.media_id, m.parent_media_id, d.depth + 1
        from derived as d join core.media as m on m.media_id = d.above_id
        where m.parent_media_id is not null
    ),
    stated as (
        select t.media_id, 0 as depth, t.consent_basis, t.allowed_use, t.expires_at from core.media_terms as t
        union all
        select d.media_id, d.depth, t.consent_basis, t.allowed_use, t.expires_at
        from derived as d join core.media_terms as t on t.media_id = d.above_id
    ),
    own as ( -- the nearest that was stated
        select
            s.media_id,
            (array_agg(s.consent_basis = 'withdrawn' order by s.depth) filter (where s.consent_basis is not null))[1]
                as is_withdrawn,
            (array_agg(s.expires_at order by s.depth) filter (where s.expires_at is not null))[1] as expires_at,
            (array_agg(purpose = any (s.allowed_use) order by s.depth) filter (where s.allowed_use is not null))[1]
                as is_allowed
        from stated as s group by s.media_id
    ),
    source as ( -- those whose terms refuse something
        select
            s.source_id, s.name,
            coalesce(s.consent_basis = 'withdrawn', false) as is_withdrawn,
            case when s.expires_at <= at then s.expires_at end as expired_at,
            s.allowed_use is null as is_unstated,
            purpose is null or coalesce(purpose = any (s.allowed_use), false) as is_allowed
        from core.source as s
        where s.consent_basis = 'withdrawn' or s.expires_at <= at
            or (purpose is not null and purpose = any (s.allowed_use) is not true)
    ),
    placed as (
        select l.media_id, s.* from source as s join core.media_location as l on l.source_id = s.source_id
        union all
        select d.media_id, s.*
        from source as s
        join core.media_location as l on l.source_id = s.source_id
        join derived as d on d.above_id = l.media_id
        union all
        select m.media_id, null, null, false, null, true, false
        from core.media as m
        where purpose is not null
            and not exists (select from core.media_location as l where l.media_id = m.media_id)
            and not exists (
                select from derived as d join core.media_location as l on l.media_id = d.above_id
                where d.media_id = m.media_id)
    ),
    found as (
        select
            p.media_id,
            min(p.name) filter (where p.is_withdrawn) as withdrawn_by,
            min(p.expired_at) as expired_at,
            bool_and(p.is_allowed) as is_allowed,
            bool_or(p.is_unstated and not p.is_allowed) as is_unstated,
            min(p.name) filter (where not p.is_allowed) as refused_by
        from placed as p group by p.media_id
    ),
    verdict as (
        select
            media_id,
            case
                when coalesce(o.is_withdrawn, f.withdrawn_by is not null) then 'consent is withdrawn'
                when coalesce(o.expires_at, f.expired_at) <= at
                    then 'the right ended ' || to_char(coalesce(o.expires_at, f.expired_at) at time zone 'UTC', 'YYYY-MM-DD')
                when purpose is null or coalesce(o.is_allowed, f.is_allowed, true) then null
                when o.is_allowed is null and f.is_unstated then 'no allowed uses are stated'
                else purpose || ' is not allowed'
            end
            || case
                when coalesce(f.withdrawn_by, f.refused_by) is not null and num_nonnulls(o.is_withdrawn, o.expires_at, o.is_allowed) = 0
                    then ' (source ' || coalesce(f.withdrawn_by, f.refused_by) || ')'
                else ''
            end as reason
        from found as f full join own as o using (media_id)
    )
    select v.media_id, v.reason from verdict as v where v.reason is not null;
end;
comment on function core.use_refused(text, timestamptz) is
    'The media, hidden ones included, whose terms do not allow the use at the time, with the reason; for a use that is null '
    'those whose right has ended. Reads the sources that refuse something first, so it costs what is refused.';
