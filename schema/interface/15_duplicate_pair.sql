-- Pairs whose perceptual hashes hardly differ, with the distance of their vectors.
create view smartdb.duplicate_pair as
select e.name as encoder, p.media_id, p.other_id, p.bits, p.distance
from core.duplicate_pair as p
join core.encoder as e using (encoder_id)
where p.media_id not in (select r.media_id from core.restriction as r)
    and p.other_id not in (select r.media_id from core.restriction as r);

comment on view smartdb.duplicate_pair is
    'Pairs of media whose 64-bit perceptual hashes differ in at most 4 bits, and most of those with 5 or 6; '
    'the vectors decide which are near-duplicates.';
comment on column smartdb.duplicate_pair.encoder is 'Name of the encoder whose vectors were compared.';
comment on column smartdb.duplicate_pair.media_id is 'The media with the smaller id.';
comment on column smartdb.duplicate_pair.other_id is 'The other media.';
comment on column smartdb.duplicate_pair.bits is 'Bits in which the hashes differ.';
comment on column smartdb.duplicate_pair.distance is 'Cosine distance of the vectors, 0 to 2.';

-- example:
--   select media_id, other_id, bits from smartdb.duplicate_pair order by media_id
-- result:
--   1 | 2 | 1
