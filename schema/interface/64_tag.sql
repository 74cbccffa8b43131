-- The tags there are, and on how many media each is.
create view smartdb.tag as
select t.tag, count(*) as n_media, min(t.created_at) as first_at, max(t.created_at) as last_at
from smartdb.media_tag as t
group by t.tag;

comment on view smartdb.tag is 'The tags there are, and on how many media each is.';
comment on column smartdb.tag.tag is 'The word.';
comment on column smartdb.tag.n_media is 'Media that have it now.';
comment on column smartdb.tag.first_at is 'When the first of these got it.';
comment on column smartdb.tag.last_at is 'When the last of these got it.';

-- example:
--   select tag, n_media from smartdb.tag order by tag
-- result:
--   night | 2
