-- How much came from each source, and how much of it was refused.
create view smartdb.source_summary as
select
    s.name as source, s.uri, s.licence, s.consent_basis, s.allowed_use, s.jurisdiction,
    s.expires_at, s.strip_metadata, s.forbidden_finding,
    coalesce(l.n_files, 0) as n_files,
    coalesce(l.n_media, 0) as n_media,
    coalesce(q.n_refused, 0) as n_refused,
    coalesce(l.n_bytes, 0) as n_bytes,
    l.last_seen_at,
    coalesce(l.n_missing, 0) as n_missing
from core.source as s
left join (
    select
        source_id,
        count(*) filter (where not is_managed and missing_at is null) as n_files,
        count(*) filter (where missing_at is not null) as n_missing,
        count(distinct media_id) as n_media,
        sum(n_bytes) filter (where not is_managed and missing_at is null)::bigint as n_bytes,
        max(seen_at) as last_seen_at
    from core.media_location
    where uri not like '%#frame=%'  -- a frame has no file of its own
    group by source_id
) as l using (source_id)
left join (
    select source_id, count(*) as n_refused from core.quarantine group by source_id
) as q using (source_id);

comment on view smartdb.source_summary is 'How much came from each source, on what terms, and how much of it was refused.';
comment on column smartdb.source_summary.source is 'Name of the source.';
comment on column smartdb.source_summary.uri is 'Folder or store.';
comment on column smartdb.source_summary.licence is 'Licence as an SPDX expression; null is unknown.';
comment on column smartdb.source_summary.consent_basis is 'Legal basis for pictures of people; null is unknown.';
comment on column smartdb.source_summary.allowed_use is 'Uses that the terms allow; {} is none, null is not stated, which allows none either.';
comment on column smartdb.source_summary.jurisdiction is 'Whose law applies.';
comment on column smartdb.source_summary.expires_at is 'When the right to use its media ends; null is never.';
comment on column smartdb.source_summary.strip_metadata is 'Metadata that a sanitised copy must not have.';
comment on column smartdb.source_summary.forbidden_finding is 'Kinds of finding that hide a media while they are unresolved.';
comment on column smartdb.source_summary.n_files is 'Files that were read and are there, as far as listings tell.';
comment on column smartdb.source_summary.n_media is 'Distinct contents that came from it, lost ones included.';
comment on column smartdb.source_summary.n_refused is 'Files in quarantine.';
comment on column smartdb.source_summary.n_bytes is 'Bytes of the files.';
comment on column smartdb.source_summary.last_seen_at is 'When a file of it was last read.';
comment on column smartdb.source_summary.n_missing is 'Files that a listing lacked.';

-- example:
--   select source, licence, n_files, n_media, n_refused from smartdb.source_summary
-- result:
--   toys | CC0-1.0 | 12 | 11 | 1
