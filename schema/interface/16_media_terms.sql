-- On what terms each media may be used: what was stated for it, else for what it derives from,
-- else the strictest of the sources it lies in.
create view smartdb.media_terms as
select
    m.media_id,
    coalesce(o.licence, a.licence, s.licence) as licence,
    coalesce(o.consent_basis, a.consent_basis, s.consent_basis) as consent_basis,
    coalesce(
        o.allowed_use, a.allowed_use,
        case
            when s.uses is not null then array( -- what all of them allow
                select u.use
                from jsonb_array_elements(s.uses) with ordinality as e (allowed, place)
                cross join jsonb_array_elements_text(e.allowed) as u (use)
                group by u.use having count(distinct e.place) = cardinality(s.sources)
                order by u.use
            )
        end
    ) as allowed_use,
    nullif(coalesce(o.expires_at, a.expires_at, s.expires_at), 'infinity') as expires_at,
    coalesce(o.jurisdiction, a.jurisdiction, s.jurisdiction) as jurisdiction,
    coalesce(s.sources, '{}') as sources,
    concat_ws(
        '; ',
        case when o.media_id is not null then concat_ws(': ', 'stated for this media', nullif(o.note, '')) end,
        case
            when num_nonnulls(a.licence, a.consent_basis, a.allowed_use, a.expires_at, a.jurisdiction) > 0
                then 'stated for what it derives from'
        end,
        case cardinality(s.sources)
            when 1 then 'source ' || s.sources[1]
            when 0 then 'lies in no source'
            else 'strictest of the sources ' || array_to_string(s.sources, ', ')
        end
    ) as reason
from core.media as m
left join core.media_terms as o on o.media_id = m.media_id
left join lateral core.terms_above(m.media_id) as a on m.parent_media_id is not null
cross join lateral (
    select
        coalesce(array_agg(s.name order by s.name), '{}') as sources,
        case when bool_and(s.licence is not null) then string_agg(distinct s.licence, ' AND ') end as licence,
        case
            when bool_or(s.consent_basis = 'withdrawn') then 'withdrawn'
            when bool_and(s.consent_basis is not null) then string_agg(distinct s.consent_basis, ', ')
        end as consent_basis,
        case when bool_and(s.allowed_use is not null) then jsonb_agg(s.allowed_use) end as uses,
        min(s.expires_at) as expires_at,
        string_agg(distinct s.jurisdiction, ', ') as jurisdiction
    from core.source as s
    where s.source_id in (
        select l.source_id from core.media_location as l where l.media_id = m.media_id
        union all select unnest(a.source_ids)
    )
) as s
where m.erased_at is null;

comment on view smartdb.media_terms is
    'On what terms each media may be used. A media that lies in several sources is bound by all of them: the uses that '
    'all allow, the earliest end. What was stated for the media itself, or else for what it derives from, replaces that.';
comment on column smartdb.media_terms.media_id is 'The media.';
comment on column smartdb.media_terms.licence is 'Licence as an SPDX expression, of several sources joined by AND; null is unknown.';
comment on column smartdb.media_terms.consent_basis is 'Legal basis; withdrawn: nothing is allowed any more; null is unknown.';
comment on column smartdb.media_terms.allowed_use is 'Uses that are allowed; {} is none, null is not stated, which allows none either.';
comment on column smartdb.media_terms.expires_at is 'When the right to use it ends; null is never.';
comment on column smartdb.media_terms.jurisdiction is 'Whose law applies.';
comment on column smartdb.media_terms.sources is 'The sources it, or what it derives from, lies in.';
comment on column smartdb.media_terms.reason is 'Where the terms are from.';

-- example:
--   select licence, allowed_use, expires_at, reason from smartdb.media_terms where media_id in
--   (1, 2) order by media_id
-- result:
--   CC0-1.0 | ['training'] | None | source toys
--   CC0-1.0 | ['training', 'publication'] | None | stated for this media: letter of 3 May; source toys
