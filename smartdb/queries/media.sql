-- name: page
-- Opens a page of media by keyset; conditions follow. First who, then what is known of them.
with page as materialized (
    select m.media_id
    from smartdb.media as m
    where m.media_id > coalesce(%(after)s, 0)

-- name: page_of_source
-- Keeps the media that lie in a source.
and exists (
    select from smartdb.media_location as l
    where l.media_id = m.media_id and l.source = %(source)s
)

-- name: page_of_class
-- Keeps the media that count as a class: those with such a label where no other counts more.
and m.media_id in (
    select h.media_id from smartdb.label_history as h
    where h.class_id = any (%(class_ids)s) and h.kind = 'classification' and h.rev_to is null
)
and coalesce(  -- which is to be guessed true of many, so that the search ends with the page
    (select k.class_id from smartdb.media_class as k where k.media_id = m.media_id)
    = any (%(class_ids)s), false
)

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
and m.media_id in (
    select h.media_id
    from smartdb.review as r
    join smartdb.label_history as h on h.label_id = coalesce(r.corrected_label_id, r.label_id)
    where r.verdict in ('accepted', 'corrected') and h.rev_to is null
)

-- name: page_suspected
-- Keeps the media with a label that is under suspicion.
and m.media_id in (
    select i.media_id from smartdb.label_issue as i where i.state = 'open' and i.is_live
)

-- name: page_end
-- Ends the choice of a page, and says what is known of each.
    order by m.media_id limit %(limit)s
)
select
    m.media_id, m.source, m.kind, m.mime, m.n_bytes, m.width, m.height, m.sha256, m.created_at,
    c.class, c.origin as class_origin,
    (
        select count(*) from smartdb.label_issue as i
        where i.media_id = m.media_id and i.state = 'open' and i.is_live
    ) as n_issues
from page
join smartdb.media as m on m.media_id = page.media_id
left join lateral (
    select k.class, k.origin from smartdb.media_class as k where k.media_id = page.media_id
    offset 0  -- for each of the few, not for all
) as c on true
order by page.media_id

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
select l.source, l.uri, l.n_bytes, l.modified_at, l.missing_at
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
select i.issue_id, i.label_id, i.kind, i.score, i.class, i.suggested_class, i.suggestion
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

-- name: id
-- Whether there is such a media.
select m.media_id
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
                case when %(class_ids)s::bigint[] is not null then format(
                    'm.media_id in (select k.media_id from smartdb.media_class as k where k.class_id = any (%L))',
                    %(class_ids)s::bigint[]
                ) end
            ), ''
        ), 'true'
    )
) as s
join smartdb.media as m on m.media_id = s.media_id
left join lateral (
    select k.class from smartdb.media_class as k where k.media_id = s.media_id offset 0
) as c on true
order by s.distance, s.media_id

-- name: class_ids
-- The classes in use of a name.
select t.class_id from smartdb.ontology_tree as t where t.class = %(class)s

-- name: encoders
-- The encoders that there are.
select e.encoder_id, e.name, e.dim, e.weights_sha256, e.created_at
from smartdb.encoder as e
order by e.name
