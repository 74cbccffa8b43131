-- Encoders and the view that holds the vectors of each.
create view smartdb.encoder as
select
    e.encoder_id, e.name, e.dim, 'smartdb.embedding_' || e.encoder_id as vectors,
    encode(e.weights_sha256, 'hex') as weights_sha256, e.preprocessing, e.created_at,
    'smartdb.region_embedding_' || e.encoder_id as region_vectors, c.margin as region_margin
from core.encoder as e
left join core.region_crop as c on c.encoder_id = e.encoder_id;

comment on view smartdb.encoder is 'Encoders, and the view that holds the vectors of each.';
comment on column smartdb.encoder.encoder_id is 'Identity of the encoder.';
comment on column smartdb.encoder.name is 'Unique name, the one to give to nearest().';
comment on column smartdb.encoder.dim is 'Length of its vectors.';
comment on column smartdb.encoder.vectors is 'View with its vectors (media_id, v): order by v <=> query.';
comment on column smartdb.encoder.weights_sha256 is 'SHA-256 of the weights; null for an encoder without weights.';
comment on column smartdb.encoder.preprocessing is 'How pixels are prepared.';
comment on column smartdb.encoder.created_at is 'When it was registered.';
comment on column smartdb.encoder.region_vectors is 'View with its vectors of regions (label_id, media_id, v).';
comment on column smartdb.encoder.region_margin is
    'What regions are widened by on each side before they are embedded, as a share of their size; null: none is yet.';

-- example:
--   select name, dim, vectors from smartdb.encoder
-- result:
--   tiny | 3 | smartdb.embedding_1
