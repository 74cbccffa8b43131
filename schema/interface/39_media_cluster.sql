-- Clusters of the vectors of each encoder, with what most of their members count as.
create view smartdb.media_cluster as
with member as (
    select g.encoder, g.cluster_id, g.media_id, g.representativeness, c.class
    from smartdb.media_graph as g
    left join smartdb.media_class as c using (media_id)
    where g.cluster_id is not null
),
part as (
    select m.encoder, m.cluster_id, m.class, count(*) as n from member as m group by m.encoder, m.cluster_id, m.class
),
main as (
    select distinct on (p.encoder, p.cluster_id) p.encoder, p.cluster_id, p.class, p.n
    from part as p
    where p.class is not null
    order by p.encoder, p.cluster_id, p.n desc, p.class
)
select
    m.encoder, m.cluster_id, count(*) as n_media, count(m.class) as n_labelled, min(k.class) as class,
    min(k.n)::double precision / nullif(count(m.class), 0) as purity,
    (array_agg(m.media_id order by m.representativeness desc, m.media_id))[:3] as central_media_id
from member as m
left join main as k on k.encoder = m.encoder and k.cluster_id = m.cluster_id
group by m.encoder, m.cluster_id;

comment on view smartdb.media_cluster is 'Clusters of the vectors of each encoder, with their main class and their most central media.';
comment on column smartdb.media_cluster.encoder is 'Name of the encoder.';
comment on column smartdb.media_cluster.cluster_id is 'Number of the cluster; it stays when media come, until clusters are made anew.';
comment on column smartdb.media_cluster.n_media is 'How many media belong to it.';
comment on column smartdb.media_cluster.n_labelled is 'How many of them have a class.';
comment on column smartdb.media_cluster.class is 'The class that most of these have; of several the first by name.';
comment on column smartdb.media_cluster.purity is 'Share of these that have it.';
comment on column smartdb.media_cluster.central_media_id is 'The three media nearest to the centre, nearest first.';

-- example:
--   select cluster_id, n_media, class, purity, central_media_id from smartdb.media_cluster
--   where encoder = 'tiny' order by cluster_id
-- result:
--   1 | 5 | cat | 0.6 | [5, 1, 2]
--   2 | 4 | dog | 1 | [6, 7, 8]
