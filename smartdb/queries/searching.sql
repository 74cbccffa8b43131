-- name: text
-- The media whose words match.
select s.media_id, s.score, row_number() over (order by s.score desc, s.media_id) as text_rank,
    null::bigint as vector_rank, null::double precision as distance
from smartdb.search_text(%(text)s, %(k)s, %(predicate)s) as s

-- name: prompt
-- The media that look like a saved text.
select n.media_id, 1 - n.distance as score, null::bigint as text_rank,
    row_number() over (order by n.distance, n.media_id) as vector_rank, n.distance
from smartdb.nearest(
    smartdb.prompt(%(prompt)s, %(encoder)s), (smartdb.require_encoder(%(encoder)s)).name, %(k)s,
    %(predicate)s
) as n

-- name: examples
-- The media that look like some and not like others.
select n.media_id, 1 - n.distance as score, null::bigint as text_rank,
    row_number() over (order by n.distance, n.media_id) as vector_rank, n.distance
from smartdb.nearest_to(
    %(more)s::bigint[], %(fewer)s::bigint[], %(encoder)s, %(k)s, %(predicate)s
) as n

-- name: text_and_prompt
-- The media that words and a saved text find together.
select s.media_id, s.score, s.text_rank, s.vector_rank, s.distance
from smartdb.search(
    %(text)s, smartdb.prompt(%(prompt)s, %(encoder)s), %(encoder)s, %(k)s, %(predicate)s
) as s

-- name: text_and_examples
-- The media that words and examples find together.
select s.media_id, s.score, s.text_rank, s.vector_rank, s.distance
from smartdb.search(
    %(text)s, smartdb.example_vector(%(more)s::bigint[], %(fewer)s::bigint[], %(encoder)s),
    %(encoder)s, %(k)s, %(predicate)s
) as s

-- name: shown
-- What was found, best first, with what is known of each.
with found as materialized ({found})
select f.*, m.source, m.kind, m.mime, m.width, m.height, m.uri, c.class
from found as f
join smartdb.media as m on m.media_id = f.media_id
left join lateral (
    select k.class from smartdb.media_class as k where k.media_id = f.media_id offset 0
) as c on true
order by f.score desc, f.media_id

-- name: predicate
-- The predicate that keeps media to a source and to classes; without these no join slows the search.
select coalesce(
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
) as predicate

-- name: index
-- Builds the index of an encoder's vectors, if there is none.
select core.index_encoder(%(encoder_id)s)

-- name: recall_report
-- How many of the exact answers nearest finds, and how fast.
select r.*
from smartdb.recall_report(
    %(encoder)s, %(k)s, %(n_queries)s, %(seed)s, %(predicate)s
) as r
