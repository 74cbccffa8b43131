-- name: state
-- How many media the graph has, how many of them have no place, how many clusters were asked for
-- when they were made (null if there are none), and how the map was made.
select
    count(*) as n_media,
    count(*) filter (where g.cluster_id is null or g.map_x is null) as n_unplaced,
    (
        select (r.parameters ->> 'n_clusters')::integer from core.run as r
        where r.run_id = (select max(c.run_id) from core.cluster as c where c.encoder_id = %(encoder_id)s)
    ) as n_clusters,
    (select m.method from core.map as m where m.encoder_id = %(encoder_id)s) as method
from core.media_graph as g
where g.encoder_id = %(encoder_id)s;

-- name: unplaced
-- Media of the graph without a cluster or a place on the map.
select g.media_id
from core.media_graph as g
where g.encoder_id = %(encoder_id)s and (g.cluster_id is null or g.map_x is null)
order by g.media_id;

-- name: centres
-- The centres of the clusters.
select c.cluster_id::bigint, c.v from core.cluster as c
where c.encoder_id = %(encoder_id)s
order by c.cluster_id;

-- name: components
-- Origin and axes of a map by PCA.
select a.row, a.v
from core.map as m
cross join lateral (values (1::bigint, m.origin), (2, m.x_axis), (3, m.y_axis)) as a (row, v)
where m.encoder_id = %(encoder_id)s
order by a.row;

-- name: stage
-- Where the new clusters and places of media come.
create temp table clustered (media_id bigint, cluster_id integer, centre_distance real) on commit drop;
create temp table mapped (media_id bigint, map_x real, map_y real) on commit drop;

-- name: place
-- Writes clusters and places of media; a media that left the graph meanwhile is left out.
update core.media_graph as g
set
    cluster_id = coalesce(n.cluster_id, g.cluster_id),
    centre_distance = coalesce(n.centre_distance, g.centre_distance),
    map_x = coalesce(n.map_x, g.map_x), map_y = coalesce(n.map_y, g.map_y), run_id = %(run_id)s
from (
    select media_id, c.cluster_id, c.centre_distance, m.map_x, m.map_y
    from pg_temp.clustered as c full join pg_temp.mapped as m using (media_id)
) as n
where g.encoder_id = %(encoder_id)s and g.media_id = n.media_id;

-- name: place_between
-- Puts media without a place between their neighbours on the map, the nearer the closer; without
-- such neighbours in the middle of their cluster.
with new as (
    select g.media_id, g.cluster_id from core.media_graph as g
    where g.encoder_id = %(encoder_id)s and g.map_x is null
),
near as (
    select
        n.media_id, sum(p.map_x * w.weight) / sum(w.weight) as map_x,
        sum(p.map_y * w.weight) / sum(w.weight) as map_y
    from new
    join core.neighbour as n on n.media_id = new.media_id and n.encoder_id = %(encoder_id)s
    join core.media_graph as p on p.media_id = n.neighbour_id and p.encoder_id = n.encoder_id
    cross join lateral (select 1 / (n.distance + 0.001)) as w (weight)
    where p.map_x is not null
    group by n.media_id
),
middle as (
    select g.cluster_id, avg(g.map_x) as map_x, avg(g.map_y) as map_y
    from core.media_graph as g
    where g.encoder_id = %(encoder_id)s and g.map_x is not null
        and g.cluster_id in (
            select new.cluster_id from new
            where not exists (select from near where near.media_id = new.media_id)
        )
    group by g.cluster_id
)
update core.media_graph as g
set
    map_x = coalesce(near.map_x, middle.map_x, 0), map_y = coalesce(near.map_y, middle.map_y, 0),
    run_id = %(run_id)s
from new
left join near on near.media_id = new.media_id
left join middle on middle.cluster_id = new.cluster_id
where g.encoder_id = %(encoder_id)s and g.media_id = new.media_id;

-- name: clear_clusters
-- Takes away the centres of an encoder.
delete from core.cluster as c where c.encoder_id = %(encoder_id)s;

-- name: add_clusters
-- Adds the centres of the staging table.
insert into core.cluster (encoder_id, cluster_id, v, radius, run_id)
select %(encoder_id)s, n.cluster_id, n.v, n.radius, %(run_id)s
from pg_temp.cluster_new as n
order by n.cluster_id;

-- name: set_map
-- Writes how the map is made; the axes are those of the staging table, if it has any.
insert into core.map as m (encoder_id, method, origin, x_axis, y_axis, run_id)
select
    %(encoder_id)s, %(method)s,
    (select a.v from pg_temp.axis_new as a where a.cluster_id = 1),
    (select b.v from pg_temp.axis_new as b where b.cluster_id = 2),
    (select c.v from pg_temp.axis_new as c where c.cluster_id = 3), %(run_id)s
on conflict (encoder_id) do update
set method = excluded.method, origin = excluded.origin, x_axis = excluded.x_axis,
    y_axis = excluded.y_axis, run_id = excluded.run_id;

-- name: points
-- The places of an encoder's map with cluster and class.
select g.media_id, g.map_x, g.map_y, g.cluster_id, c.class
from smartdb.media_graph as g
left join smartdb.media_class as c using (media_id)
where g.encoder = %(encoder)s and g.map_x is not null
order by g.media_id;

-- name: page
-- A page of what the graph says of media, by id.
select
    g.media_id, g.map_x, g.map_y, g.cluster_id, g.uniqueness, g.representativeness, c.class
from smartdb.media_graph as g
left join lateral (
    select k.class from smartdb.media_class as k where k.media_id = g.media_id
) as c on true
where g.encoder = %(encoder)s and g.media_id > %(after)s
order by g.media_id
limit %(limit)s;

-- name: clusters
-- The clusters of an encoder, the largest first.
select c.cluster_id, c.n_media, c.class, c.purity, c.n_labelled, c.central_media_id
from smartdb.media_cluster as c
where c.encoder = %(encoder)s
order by c.n_media desc, c.cluster_id
limit %(limit)s;
