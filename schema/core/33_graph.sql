-- What the neighbour graph says of each media, its clusters and its map. A vector that goes takes its edges
-- along, and the media that lose an edge are looked at again in the next build.

create table core.graph (
    encoder_id bigint not null,
    k smallint not null,
    largest_isolation real,
    run_id bigint not null,
    constraint graph_pk primary key (encoder_id),
    constraint graph_k_check check (k >= 1)
);
call core.refer('core.graph', '{{encoder_id, core.encoder, encoder_id}, {run_id, core.run, run_id}}');
comment on table core.graph is 'The neighbour graph of each encoder as a whole.';
comment on column core.graph.encoder_id is 'Encoder whose vectors were compared.';
comment on column core.graph.k is 'How many neighbours each media has, where there are as many.';
comment on column core.graph.largest_isolation is 'The largest isolation in core.media_graph, which uniqueness is a share of.';
comment on column core.graph.run_id is 'The run that changed its edges last.';

create table core.media_graph (
    encoder_id bigint not null,
    media_id bigint not null,
    n_neighbours smallint,
    distance real,
    isolation real,
    cluster_id integer,
    centre_distance real,
    map_x real,
    map_y real,
    run_id bigint not null,
    constraint media_graph_pk primary key (media_id, encoder_id),
    constraint media_graph_cluster_check check ((cluster_id is null) = (centre_distance is null)),
    constraint media_graph_map_check check ((map_x is null) = (map_y is null))
);
create index media_graph_cluster_idx on core.media_graph (encoder_id, cluster_id, centre_distance);
call core.refer('core.media_graph', '{
    {encoder_id, core.encoder, encoder_id},
    {media_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
comment on table core.media_graph is 'What the neighbour graph of an encoder says of a media; a row for each media that is in the graph.';
comment on column core.media_graph.encoder_id is 'Encoder whose vectors were compared.';
comment on column core.media_graph.media_id is 'The media.';
comment on column core.media_graph.n_neighbours is 'How many edges it has; null since some were lost, until the next build.';
comment on column core.media_graph.distance is 'Mean cosine distance to its neighbours; null without any.';
comment on column core.media_graph.isolation is
    'Weighted mean cosine distance to its three nearest neighbours (0.6, 0.3, 0.1); null without any.';
comment on column core.media_graph.cluster_id is 'The cluster with the nearest centre; null until it is placed.';
comment on column core.media_graph.centre_distance is 'Cosine distance to that centre.';
comment on column core.media_graph.map_x is 'Place on the map, from left to right; null until it is placed.';
comment on column core.media_graph.map_y is 'Place on the map, from bottom to top.';
comment on column core.media_graph.run_id is 'The run that wrote the row last.';

create table core.cluster (
    encoder_id bigint not null,
    cluster_id integer not null,
    v halfvec not null,
    radius real not null,
    run_id bigint not null,
    constraint cluster_pk primary key (encoder_id, cluster_id),
    constraint cluster_id_check check (cluster_id >= 1),
    constraint cluster_radius_check check (radius >= 0)
);
call core.refer('core.cluster', '{{encoder_id, core.encoder, encoder_id}, {run_id, core.run, run_id}}');
comment on table core.cluster is 'Centres of the clusters of an encoder''s vectors; they stay when media come, until they are made anew.';
comment on column core.cluster.encoder_id is 'Encoder whose vectors were clustered.';
comment on column core.cluster.cluster_id is 'Number of the cluster among those of the encoder; 1 was the largest when they were made.';
comment on column core.cluster.v is 'Its centre, of length 1.';
comment on column core.cluster.radius is 'Cosine distance of the farthest member when it was made.';
comment on column core.cluster.run_id is 'The run that made it.';

create table core.map (
    encoder_id bigint not null,
    method text not null,
    origin halfvec,
    x_axis halfvec,
    y_axis halfvec,
    run_id bigint not null,
    constraint map_pk primary key (encoder_id),
    constraint map_method_check check (method in ('pca', 'pacmap')),
    constraint map_axes_check check (num_nonnulls(origin, x_axis, y_axis) = case method when 'pca' then 3 else 0 end)
);
call core.refer('core.map', '{{encoder_id, core.encoder, encoder_id}, {run_id, core.run, run_id}}');
comment on table core.map is 'How the two-dimensional map of an encoder''s vectors was made.';
comment on column core.map.encoder_id is 'Encoder whose vectors are mapped.';
comment on column core.map.method is 'pca (new media are projected) or pacmap (new media come between their neighbours).';
comment on column core.map.origin is 'Mean of the vectors; null unless pca.';
comment on column core.map.x_axis is 'First principal component; null unless pca.';
comment on column core.map.y_axis is 'Second principal component; null unless pca.';
comment on column core.map.run_id is 'The run that made it, with its seed.';

create function core.miss_edges() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    update core.media_graph as g set n_neighbours = null
    from (select distinct encoder_id, media_id from gone) as n
    where g.media_id = n.media_id and g.encoder_id = n.encoder_id and g.n_neighbours is not null;
    return null;
end
$$;
comment on function core.miss_edges() is
    'Statement trigger of the neighbour graph: media that lost an edge are looked at again in the next build.';
create trigger miss_edges after delete on core.neighbour referencing old table as gone
for each statement execute function core.miss_edges();

-- A build that is being written and a vector that goes do not see each other, so they wait.
create function core.forget_vectors() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    encoder constant bigint := tg_argv[0];
    ids constant bigint[] := array(select g.media_id from gone as g);
begin
    perform pg_advisory_xact_lock_shared(7360404, encoder::integer);
    delete from core.neighbour as n
    where n.encoder_id = encoder and (n.media_id = any (ids) or n.neighbour_id = any (ids));
    delete from core.media_graph as g where g.encoder_id = encoder and g.media_id = any (ids);
    return null;
end
$$;
comment on function core.forget_vectors() is
    'Statement trigger of the tables of vectors: the edges from and to a vector go with it.';
