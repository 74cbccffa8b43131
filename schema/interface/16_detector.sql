-- What looked for faces, plates and the like, at how many media, and what it found.
create view smartdb.detector as
select
    d.detector_id, d.name, d.version, d.parameters,
    (
        select count(*) from core.detector_media as l
        where l.detector_id = d.detector_id and l.problem is null
    ) as n_media,
    (
        select count(*) from core.detector_media as l
        where l.detector_id = d.detector_id and l.problem is not null
    ) as n_problems,
    (
        select count(*) from core.finding as f
        where f.detail -> 'detector' = to_jsonb(d.name) and f.detail -> 'version' = to_jsonb(d.version)
            and f.detail -> 'parameters' = d.parameters
    ) as n_findings,
    d.created_at
from core.detector as d;

comment on view smartdb.detector is 'What looked for faces, plates and the like in pixels, and how much it found; none finds all.';
comment on column smartdb.detector.detector_id is 'Identity of the detector.';
comment on column smartdb.detector.name is 'What smartdb detect calls it by.';
comment on column smartdb.detector.version is 'Version of the library, and a digest of the weights.';
comment on column smartdb.detector.parameters is 'What it was set to.';
comment on column smartdb.detector.n_media is 'Media that it has looked at, hidden ones included.';
comment on column smartdb.detector.n_problems is 'Media that it could not look at.';
comment on column smartdb.detector.n_findings is 'What it found, settled or not, in hidden media too.';
comment on column smartdb.detector.created_at is 'When it first ran.';

-- example:
--   select name, version, n_media, n_findings from smartdb.detector
-- result:
--   haar:frontalface | 4.10 aef4b9 | 2 | 1
