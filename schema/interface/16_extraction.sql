-- Which frames were taken from which videos: a row for each way of choosing that was carried out.
create view smartdb.extraction as
select e.media_id, e.recipe, e.n_frames, e.run_id, e.created_at
from core.extraction as e;

comment on view smartdb.extraction is
    'Ways of choosing frames that were carried out on videos; the frames are media, with the video as parent_media_id.';
comment on column smartdb.extraction.media_id is 'The video.';
comment on column smartdb.extraction.recipe is
    'How frames were chosen: {"step": "frame", "by": "interval", "seconds": 1}, by key_frames, or by scenes with a threshold.';
comment on column smartdb.extraction.n_frames is 'Frames that it chose, those that were there already included.';
comment on column smartdb.extraction.run_id is 'The run that did it.';
comment on column smartdb.extraction.created_at is 'When.';

-- example:
--   select count(*) as n_videos from smartdb.extraction where recipe ->> 'by' = 'scenes'
-- result:
--   0
