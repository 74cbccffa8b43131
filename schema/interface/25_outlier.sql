-- How far a media lies from its neighbours, against what is usual for the encoder.
create view smartdb.outlier as
with isolation as (
    select n.encoder, n.media_id, avg(n.distance) as distance, count(*) as n_neighbours
    from smartdb.neighbour as n group by n.encoder, n.media_id
)
select
    i.encoder, i.media_id, i.distance, i.n_neighbours,
    percent_rank() over (partition by i.encoder order by i.distance) as percentile,
    (i.distance - avg(i.distance) over (partition by i.encoder))
    / nullif(stddev_pop(i.distance) over (partition by i.encoder), 0) as z
from isolation as i;

comment on view smartdb.outlier is
    'Mean distance of each media to its neighbours, with its rank among all; the largest are unlike anything else.';
comment on column smartdb.outlier.encoder is 'Name of the encoder.';
comment on column smartdb.outlier.media_id is 'The media.';
comment on column smartdb.outlier.distance is 'Mean cosine distance to its neighbours.';
comment on column smartdb.outlier.n_neighbours is 'Number of neighbours compared.';
comment on column smartdb.outlier.percentile is 'Share of media that are less isolated, 0 to 1.';
comment on column smartdb.outlier.z is 'Standard deviations above the mean isolation.';

-- example:
--   select media_id, distance, percentile from smartdb.outlier order by percentile desc limit 2
-- result:
--   1 | 0.0007712 | 1
--   5 | 0.0007564 | 0.8889
