-- Media whose right has ended: it expired, or the consent was withdrawn.
create view smartdb.expired as
select
    r.media_id, r.reason,
    array(
        select d.name || ' ' || v.version
        from core.dataset_item as i
        join core.dataset as d on d.dataset_id = i.dataset_id
        join core.dataset_version as v
            on v.dataset_id = i.dataset_id and v.version >= i.version_from
            and (i.version_to is null or v.version < i.version_to)
        where i.media_id = r.media_id and v.sealed_at is not null
        order by d.name, v.version
    ) as versions
from core.use_refused(null, now()) as r
join core.media as m on m.media_id = r.media_id and m.erased_at is null;

comment on view smartdb.expired is
    'Media whose right has ended, by date or because consent was withdrawn, with the sealed dataset versions that hold them. '
    'smartdb terms hide hides them; smartdb erase erases them.';
comment on column smartdb.expired.media_id is 'The media.';
comment on column smartdb.expired.reason is 'Why it may no longer be used.';
comment on column smartdb.expired.versions is 'Sealed dataset versions that hold it, such as pets 1.';

-- example:
--   select media_id, reason, versions from smartdb.expired
-- result:
--   10 | the right ended 2026-01-05 | ['pets 2']
