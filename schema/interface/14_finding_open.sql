-- What checks found on media and nobody has settled yet.
create view smartdb.finding_open as
select
    f.finding_id, f.media_id, m.uri, f.kind, f.score, f.region,
    (f.detail ->> 'detector') || ' ' || (f.detail ->> 'version') as detector,
    exists (select from core.restriction as r where r.media_id = f.media_id) as is_hidden,
    f.detail, f.run_id, f.created_at
from core.finding as f
join smartdb.media as m using (media_id)
where f.resolution is null;

comment on view smartdb.finding_open is 'What checks found on media (position in EXIF, darkness, blur, ...) and nobody has settled yet.';
comment on column smartdb.finding_open.finding_id is 'Identity of the finding.';
comment on column smartdb.finding_open.media_id is 'The media.';
comment on column smartdb.finding_open.uri is 'Where its bytes lie.';
comment on column smartdb.finding_open.kind is 'gps, serial, face, plate, wrong_extension, a kind of quality_threshold, ...';
comment on column smartdb.finding_open.score is 'The measured value that made it a finding.';
comment on column smartdb.finding_open.region is 'x, y, width, height in pixels, upright; null is the whole media.';
comment on column smartdb.finding_open.detector is 'The detector and its version, of what was found in the pixels.';
comment on column smartdb.finding_open.is_hidden is 'Whether only the privacy officer sees the media, and this row.';
comment on column smartdb.finding_open.detail is 'Anything else.';
comment on column smartdb.finding_open.run_id is 'The run that found it.';
comment on column smartdb.finding_open.created_at is 'When it was found.';

-- example:
--   select media_id, kind, score, region, detector, is_hidden from smartdb.finding_open order by finding_id
-- result:
--   1 | dark | 0.05 | None | None | False
--   7 | gps | None | None | None | False
--   2 | face | 0.8 | [4.0, 2.0, 9.0, 9.0] | haar:frontalface 4.10 aef4b9 | False
