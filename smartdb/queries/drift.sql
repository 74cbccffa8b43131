-- name: quality
-- Statistics of a sample of the media that the newest ingest of a source added, and of those before.
with newest as (
    select max(r.run_id) as run_id
    from core.run as r
    where
        r.kind = 'ingest' and r.status = 'succeeded' and r.parameters ->> 'source' = %(source)s
        and (r.counts ->> 'added')::bigint > 0
),
side as (
    select m.media_id, m.run_id = n.run_id as is_new
    from core.media as m
    join newest as n on m.run_id <= n.run_id
    where m.kind in ('image', 'frame')
),
placed as (
    select
        s.media_id, s.is_new,
        row_number() over (partition by s.is_new order by hashint8extended(s.media_id, 3)) as place
    from side as s
)
select p.is_new, q.brightness, q.contrast, q.sharpness, q.entropy, q.colourfulness
from placed as p
join core.quality as q using (media_id)
where p.place <= %(n)s;
