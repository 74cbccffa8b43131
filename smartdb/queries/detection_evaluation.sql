-- name: predictions
-- The detections of a run, in the order of their file.
select
    p.predicted_label_id, p.media_id, p.class_id, p.x, p.y, p.w, p.h,
    p.confidence::double precision as confidence
from core.predicted_label as p
where p.run_id = %(predictions)s and p.kind = 'box'
order by p.media_id, p.predicted_label_id;

-- name: ontology
-- The ontologies whose classes a run detected.
select distinct o.name, o.ontology_id
from core.ontology as o
join core.class as c using (ontology_id)
where c.class_id in (select p.class_id from core.predicted_label as p where p.run_id = %(predictions)s);

-- name: truth
-- The labels with a box at a revision, by people, importers and consensus, on the media to judge.
select
    l.label_id, l.media_id, l.class_id, l.x, l.y, l.w, l.h, l.kind, l.shape,
    (l.attributes ->> 'area')::double precision as area,
    coalesce((l.attributes ->> 'is_crowd')::boolean, false) as is_crowd
from smartdb.label_at(%(revision)s) as l
join core.class as c on c.class_id = l.class_id
where
    l.w > 0 and l.h > 0 and l.origin in ('human', 'import', 'consensus')
    and c.ontology_id = %(ontology_id)s
    and (%(media_ids)s::bigint[] is null or l.media_id = any (%(media_ids)s))
order by l.media_id, l.label_id;

-- name: version
-- A dataset version that is sealed: its ids and revision.
select d.dataset_id, v.version, v.revision
from core.dataset_version as v
join core.dataset as d using (dataset_id)
where d.name = %(dataset)s and v.sealed_at is not null
    and (%(version)s::integer is null or v.version = %(version)s)
order by v.version desc limit 1;

-- name: members
-- The media of a version (of one split).
select i.media_id from smartdb.dataset_item_at(%(dataset)s, %(version)s) as i
where %(split)s::text is null or i.split = %(split)s
order by i.media_id;

-- name: add
-- Says what is matched with what.
insert into core.detection_evaluation (
    run_id, predictions_run_id, ontology_id, revision, dataset_id, version, split
)
values (
    %(run_id)s, %(predictions)s, %(ontology_id)s, %(revision)s, %(dataset_id)s, %(version)s, %(split)s
);

-- name: stage
-- Makes the tables that matches are copied to; -1 is none.
create temp table matched_detection (
    predicted_label_id bigint, media_id bigint, class_id bigint, confidence real, rank integer,
    right_all smallint, right_small smallint, right_medium smallint, right_large smallint,
    ignored_all smallint, ignored_small smallint, ignored_medium smallint, ignored_large smallint,
    label_id bigint, iou_same real, iou_other real, other_class_id bigint
) on commit drop;
create temp table matched_truth (
    label_id bigint, media_id bigint, class_id bigint, area double precision, is_crowd boolean,
    found_at smallint, iou_same real, iou_other real
) on commit drop;

-- name: keep_matches
-- Keeps the matches of the detections.
insert into core.detection_match
select
    %(run_id)s, m.predicted_label_id, m.media_id, m.class_id, m.confidence, m.rank,
    array[m.right_all, m.right_small, m.right_medium, m.right_large],
    array[m.ignored_all, m.ignored_small, m.ignored_medium, m.ignored_large],
    nullif(m.label_id, -1), m.iou_same, m.iou_other, nullif(m.other_class_id, -1)
from pg_temp.matched_detection as m;

-- name: keep_truth
-- Keeps what they were matched with.
insert into core.detection_truth
select
    %(run_id)s, t.label_id, t.media_id, t.class_id, t.area, t.is_crowd, t.found_at, t.iou_same,
    t.iou_other
from pg_temp.matched_truth as t;

-- name: summary
-- Mean over classes of average precision and recall.
select avg(a.average_precision), avg(a.average_recall)
from smartdb.average_precision(%(run_id)s, %(iou)s::double precision, %(area)s, %(n)s, %(predicate)s) as a;

-- name: classes
-- Average precision of each class.
select a.class, a.n_truth, a.average_precision, a.average_recall
from smartdb.average_precision(
    %(run_id)s, %(iou)s::double precision, predicate => %(predicate)s
) as a
order by a.average_precision, a.class;

-- name: errors
-- How many errors there are of each kind.
select e.kind, e.class, e.other_class, count(*) as n
from smartdb.detection_error(%(run_id)s, %(iou)s::double precision, %(confidence)s::real) as e
group by e.kind, e.class, e.other_class
order by n desc, e.kind, e.class, e.other_class;
