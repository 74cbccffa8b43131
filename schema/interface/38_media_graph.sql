-- What the neighbour graph says of each media.
create view smartdb.media_graph as
select
    e.name as encoder, g.media_id,
    case when g.isolation is null then 1 else coalesce(least(g.isolation / nullif(w.largest_isolation, 0), 1), 0) end
        as uniqueness,
    case when c.radius > 1e-5 then greatest(1 - g.centre_distance / c.radius, 0) else g.centre_distance * 0 + 1 end
        as representativeness,
    g.distance, d.label_disagreement, g.cluster_id, g.map_x, g.map_y, g.n_neighbours, g.run_id
from core.media_graph as g
join core.encoder as e using (encoder_id)
left join core.graph as w using (encoder_id)
left join core.cluster as c on c.encoder_id = g.encoder_id and c.cluster_id = g.cluster_id
left join smartdb.label_disagreement as d on d.encoder_id = g.encoder_id and d.media_id = g.media_id
where g.media_id not in (select r.media_id from core.restriction as r);

comment on view smartdb.media_graph is
    'What the neighbour graph of each encoder says of each media: how unlike the others it is, how central in its cluster, '
    'whether its neighbours are of its class, and where it lies on the map.';
comment on column smartdb.media_graph.encoder is 'Name of the encoder.';
comment on column smartdb.media_graph.media_id is 'The media.';
comment on column smartdb.media_graph.uniqueness is
    'Weighted mean distance to its three nearest neighbours (0.6, 0.3, 0.1), as a share of the largest; 1 is like nothing else.';
comment on column smartdb.media_graph.representativeness is
    'How near it is to the centre of its cluster: 1 in the centre, 0 as far as the farthest; null until it is placed.';
comment on column smartdb.media_graph.distance is 'Mean cosine distance to its neighbours; null without any.';
comment on column smartdb.media_graph.label_disagreement is
    'Share of its labelled neighbours that count as another class, by smartdb.label_disagreement; null without labels.';
comment on column smartdb.media_graph.cluster_id is 'Its cluster, see smartdb.media_cluster; null until it is placed.';
comment on column smartdb.media_graph.map_x is 'Place on the map of the encoder, from left to right; null until it is placed.';
comment on column smartdb.media_graph.map_y is 'Place on the map, from bottom to top.';
comment on column smartdb.media_graph.n_neighbours is 'How many neighbours it has; null since one was lost, until the next build.';
comment on column smartdb.media_graph.run_id is 'The run that wrote this last.';

-- example:
--   select media_id, uniqueness, representativeness, cluster_id, label_disagreement, map_x
--   from smartdb.media_graph where encoder = 'tiny' and media_id in (1, 5, 6) order by media_id
-- result:
--   1 | 0.617 | 0.8 | 1 | 0 | 1
--   5 | 0.605 | 1 | 1 | 0.4998 | 1
--   6 | 0.5831 | 0.9 | 2 | 0 | 0.1
