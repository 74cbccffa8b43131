-- name: gap
-- Number of images and frames of a source that an encoder has no vector of, and of its images.
select
    (
        select count(*) from smartdb.embedding_gap(%(encoder)s) as g
        join smartdb.media as m on m.media_id = g.media_id
        where m.source = %(source)s
    ),
    (select count(*) from smartdb.media as m where m.source = %(source)s and m.kind in ('image', 'frame'));

-- name: refused
-- Number of refused files of a source, and of all its files.
select s.n_refused, s.n_refused + s.n_files from smartdb.source_summary as s where s.source = %(source)s;

-- name: classes
-- Classes of an ontology with the number of media that count as each.
select o.class, count(c.media_id)
from smartdb.ontology_tree as o
left join smartdb.media_class as c on c.class_id = o.class_id
where o.ontology = %(ontology)s
group by o.class
order by count(c.media_id), o.class;

-- name: leaks
-- Pairs in the newest version of a dataset that belong together but lie in different splits.
select l.media_id, l.split, l.other_media_id, l.other_split
from (
    select v.dataset, max(v.version) as version
    from smartdb.dataset_version as v where v.dataset = %(dataset)s group by v.dataset
) as newest
cross join lateral smartdb.split_leak(newest.dataset, newest.version) as l
order by l.media_id, l.other_media_id
limit 100;

-- name: agreement
-- How many media several annotators judged, and how far they agree.
select a.n_media, a.alpha from smartdb.agreement_overall as a where a.ontology = %(ontology)s;

-- name: reviews
-- Verdicts in force on labels of an ontology given after a review, and the newest of them.
select count(*), coalesce(max(r.review_id), %(after)s)
from smartdb.review as r
join smartdb.label_history as h on h.label_id = r.label_id
join smartdb.ontology_tree as o on o.class_id = h.class_id
where r.review_id > %(after)s and o.ontology = %(ontology)s;

-- name: semantic_duplicates
-- Members of the newest version of a dataset that have a neighbour within a distance among the members
-- before them, and all members.
with newest as (
    select i.media_id
    from smartdb.dataset_version as v
    cross join lateral smartdb.dataset_item_at(v.dataset, v.version) as i
    where v.dataset = %(dataset)s and v.sealed_at is not null and v.version = (
        select max(o.version) from smartdb.dataset_version as o
        where o.dataset = v.dataset and o.sealed_at is not null
    )
)
select
    (
        select count(distinct n.media_id)
        from smartdb.neighbour as n
        where n.encoder = %(encoder)s and n.distance <= %(eps)s and n.neighbour_id < n.media_id
            and n.media_id in (select w.media_id from newest as w)
            and n.neighbour_id in (select w.media_id from newest as w)
    ),
    (select count(*) from newest);
