-- Edges of the stored neighbour graph.
create view smartdb.neighbour as
select e.name as encoder, n.media_id, n.rank, n.neighbour_id, n.distance, n.encoder_id
from core.neighbour as n
join core.encoder as e using (encoder_id)
where n.media_id not in (select r.media_id from core.restriction as r)
    and n.neighbour_id not in (select r.media_id from core.restriction as r);

comment on view smartdb.neighbour is 'Edges of the k-nearest-neighbour graph of each encoder.';
comment on column smartdb.neighbour.encoder is 'Name of the encoder.';
comment on column smartdb.neighbour.media_id is 'The media.';
comment on column smartdb.neighbour.rank is '1 is the nearest.';
comment on column smartdb.neighbour.neighbour_id is 'The neighbour.';
comment on column smartdb.neighbour.distance is 'Cosine distance, 0 to 2.';
comment on column smartdb.neighbour.encoder_id is 'Identity of the encoder.';

-- example:
--   select rank, neighbour_id, distance from smartdb.neighbour where encoder = 'tiny' and
--   media_id = 6
-- result:
--   1 | 7 | 0.0002938
--   2 | 8 | 0.001162
