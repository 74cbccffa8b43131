-- name: todo
-- A page of the media of a source with something to be rid of: whether a copy can be rid of it, the
-- findings it would settle, their regions, and whether all metadata are to go.
with wanted as (
    select f.finding_id, f.media_id, f.kind = any (%(metadata)s) or f.region is not null as is_removable
    from core.finding as f
    where
        f.resolution is null and f.media_id > %(after)s
        and f.media_id in (
            select l.media_id from core.media_location as l join core.source as s using (source_id)
            where s.name = %(source)s
        )
        and not exists (
            select from core.restriction as r
            where r.media_id = f.media_id and r.reason = 'replaced'
        )
        and exists (
            select from core.media_location as l join core.source as s using (source_id)
            where
                l.media_id = f.media_id
                and (
                    f.kind = any (s.forbidden_finding)
                    or f.kind = any (array_replace(s.strip_metadata, 'location', 'gps'))
                    or 'all' = any (s.strip_metadata) and f.kind = any (%(metadata)s)
                )
        )
)
select
    m.media_id,
    m.kind <> 'video' and bool_and(w.is_removable) as can_be_cleaned,
    array(
        select f.finding_id from core.finding as f
        where f.media_id = m.media_id and f.resolution is null
            and (f.kind = any (%(metadata)s) or f.finding_id = any (array_agg(w.finding_id)))
        order by f.finding_id
    ) as findings,
    array(
        select f.region from core.finding as f
        where f.finding_id = any (array_agg(w.finding_id)) and f.region is not null
        order by f.finding_id
    ) as regions,
    exists (
        select from core.media_location as l join core.source as s using (source_id)
        where l.media_id = m.media_id and 'all' = any (s.strip_metadata)
    ) as strips_all
from wanted as w
join core.media as m using (media_id)
where m.erased_at is null
group by m.media_id
order by m.media_id
limit %(n)s;

-- name: note
-- Notes why there is no clean copy of what was found.
update core.finding as f
set detail = f.detail || %(detail)s
where f.finding_id = any (%(findings)s) and f.resolution is null;

-- name: add_derivative
-- Records a clean copy; null if the findings are others by now.
select core.add_derivative(
    %(parent)s, %(digest)s, %(mime)s, %(n_bytes)s, %(captured_at)s, %(phash)s::bit(64),
    %(exif)s, %(attributes)s, %(quality)s::real[], %(recipe)s, %(uri)s, %(findings)s::bigint[], %(run)s
);
