-- name: given
-- The imported labels of a source as they came, with what was suspected and decided.
select m.uri, h.class, i.score, i.state
from smartdb.label_history as h
join smartdb.media as m on m.media_id = h.media_id
left join smartdb.label_issue as i on i.label_id = h.label_id and i.kind = 'swapped'
where h.origin = 'import' and h.kind = 'classification' and m.source = %(source)s
order by h.label_id;

-- name: predicted
-- What a run predicted for a split.
select m.uri, p.predicted_class
from smartdb.prediction as p
join smartdb.media as m on m.media_id = p.media_id
where p.run_id = %(run_id)s and p.split = %(split)s
order by p.media_id;

-- name: groups
-- Members of the near-duplicate groups.
select d.uri, d.group_id from smartdb.duplicate_group as d order by d.media_id;

-- name: quarantined
-- Refused files of a source.
select q.uri, q.reason from smartdb.quarantine as q where q.source = %(source)s order by q.uri;

-- name: found
-- Open findings of a kind.
select f.uri from smartdb.finding_open as f where f.kind = %(kind)s order by f.media_id;

-- name: n_suspected
-- Number of open suspicions on labels of an ontology.
select count(*)
from smartdb.review_queue as q
join smartdb.label as l on l.label_id = q.label_id
join smartdb.ontology_tree as o on o.class_id = l.class_id
where o.ontology = %(ontology)s;

-- name: example
-- A media to show: the most confident error of a run, else any that it predicted.
select p.media_id from smartdb.prediction as p
where p.run_id = %(run_id)s
order by p.is_correct, p.split <> 'test', p.confidence desc, p.media_id limit 1;
