-- name: newest
-- The newest images of a source.
select m.media_id, m.width || ' x ' || m.height as caption
from smartdb.media as m
where m.source = %(source)s and m.kind in ('image', 'frame')
order by m.media_id desc limit %(n)s;

-- name: duplicates
-- Members of near-duplicate groups with a member in a source, group by group.
select d.media_id, 'group ' || d.group_id as caption
from smartdb.duplicate_group as d
where d.group_id in (
    select g.group_id from smartdb.duplicate_group as g
    join smartdb.media as m on m.media_id = g.media_id
    where m.source = %(source)s
)
order by d.group_id, d.media_id limit %(n)s;

-- name: suspected
-- Images with the most suspicious labels of an ontology.
select q.media_id, concat_ws(' ', q.class, '?', q.suggested_class) as caption
from smartdb.review_queue as q
join smartdb.label as l on l.label_id = q.label_id
join smartdb.ontology_tree as o on o.class_id = l.class_id
where o.ontology = %(ontology)s
order by q.score desc, q.issue_id limit %(n)s;

-- name: errors
-- The most confident errors of a run on the test split.
select e.media_id, e.class || ' as ' || e.predicted_class as caption
from smartdb.error as e
where e.run_id = %(run_id)s and e.split = 'test'
order by e.confidence desc, e.media_id limit %(n)s;

-- name: batch
-- The first of a batch, by their ids, which find them again, and the reasons, of which less may fit.
select b.media_id, 'media ' || b.media_id || E'\n' || b.reason as caption
from smartdb.batch_item as b
where b.batch_id = %(batch_id)s
order by b.rank limit %(n)s;
