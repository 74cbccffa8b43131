-- name: page
-- Opens a page of media by keyset, with the class that each counts as; conditions follow.
select
    m.media_id, m.source, m.kind, m.mime, m.n_bytes, m.width, m.height, m.sha256, m.created_at,
    c.class, c.origin as class_origin,
    (
        select count(*) from smartdb.label_issue as i
        where i.media_id = m.media_id and i.state = 'open' and i.is_live
    ) as n_issues
from smartdb.media as m
left join lateral (
    select k.class, k.origin from smartdb.media_class as k where k.media_id = m.media_id
) as c on true
where m.media_id > coalesce(%(after)s, 0)

-- name: page_of_source
-- Keeps the media that lie in a source.
and exists (
    select from smartdb.media_location as l
    where l.media_id = m.media_id and l.source = %(source)s
)

-- name: page_of_class
-- Keeps the media that count as a class; the first condition finds a rare class by index.
and m.media_id in (
    select h.media_id from smartdb.label_history as h
    where h.class = %(class)s and h.kind = 'classification' and h.rev_to is null
)
and c.class = %(class)s

-- name: page_labelled
-- Keeps the media that have a class.
and exists (
    select from smartdb.label_history as h
    where h.media_id = m.media_id and h.kind = 'classification' and h.rev_to is null
        and h.origin in ('consensus', 'human', 'import')
)

-- name: page_unlabelled
-- Keeps the media that have no class.
and not exists (
    select from smartdb.label_history as h
    where h.media_id = m.media_id and h.kind = 'classification' and h.rev_to is null
        and h.origin in ('consensus', 'human', 'import')
)

-- name: page_reviewed
-- Keeps the media with a label that a reviewer accepted or wrote.
and exists (
    select from smartdb.label as l
    where l.media_id = m.media_id and l.review_state in ('accepted', 'corrected')
)

-- name: page_suspected
-- Keeps the media with a label that is under suspicion.
and exists (
    select from smartdb.label_issue as i
    where i.media_id = m.media_id and i.state = 'open' and i.is_live
)

-- name: page_end
-- Orders a page and ends it.
order by m.media_id limit %(limit)s

-- name: one
-- One media with the statistics of its pixels.
select
    m.media_id, m.source, m.kind, m.mime, m.n_bytes, m.width, m.height, m.sha256, m.created_at,
    m.captured_at, m.group_key, m.parent_media_id, m.frame_index, m.attributes, m.run_id,
    m.brightness, m.contrast, m.sharpness, m.entropy, m.colourfulness,
    c.class, c.origin as class_origin
from smartdb.media as m
left join lateral (
    select k.class, k.origin from smartdb.media_class as k where k.media_id = m.media_id
) as c on true
where m.media_id = %(media_id)s

-- name: locations
-- Where the bytes of a media lie.
select l.source, l.uri, l.n_bytes, l.modified_at
from smartdb.media_location as l
where l.media_id = %(media_id)s
order by l.source, l.uri

-- name: labels
-- The labels of a media as they are now.
select
    l.label_id, l.object_id, l.class, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes, l.origin,
    l.actor, l.confidence, l.review_state, l.created_at
from smartdb.label as l
where l.media_id = %(media_id)s
order by l.rev_from

-- name: issues
-- The open suspicions about the labels of a media.
select i.issue_id, i.label_id, i.kind, i.score, i.class, i.suggested_class
from smartdb.label_issue as i
where i.media_id = %(media_id)s and i.state = 'open' and i.is_live
order by i.score desc, i.issue_id

-- name: findings
-- What checks found on a media and nobody has settled.
select f.finding_id, f.kind, f.score, f.region
from smartdb.finding_open as f
where f.media_id = %(media_id)s
order by f.finding_id

-- name: predictions
-- What the latest runs predicted for a media.
select
    p.run_id, p.split, p.class, p.predicted_class, p.is_correct, p.confidence, p.margin, p.entropy
from smartdb.prediction as p
where p.media_id = %(media_id)s
order by p.run_id desc limit 10

-- name: file
-- What is needed to read the bytes of a media.
select m.media_id, m.sha256, m.mime, m.width, m.height
from smartdb.media as m
where m.media_id = %(media_id)s

-- name: similar
-- The media nearest to one, kept to a source and a class; without these no join slows the search.
select s.media_id, s.distance, m.source, m.kind, m.mime, m.width, m.height, c.class
from smartdb.similar(
    %(media_id)s, %(encoder)s, %(k)s,
    coalesce(
        nullif(
            concat_ws(
                ' and ',
                case when %(source)s::text is not null then format(
                    'm.media_id in (select l.media_id from smartdb.media_location as l where l.source = %L)',
                    %(source)s::text
                ) end,
                case when %(class)s::text is not null then format(
                    'm.media_id in (select k.media_id from smartdb.media_class as k where k.class = %L)',
                    %(class)s::text
                ) end
            ), ''
        ), 'true'
    )
) as s
join smartdb.media as m on m.media_id = s.media_id
left join lateral (
    select k.class from smartdb.media_class as k where k.media_id = s.media_id
) as c on true
order by s.distance, s.media_id

-- name: encoders
-- The encoders that there are.
select e.encoder_id, e.name, e.dim, e.weights_sha256, e.created_at
from smartdb.encoder as e
order by e.name
