-- The tags that are on media now.
create view smartdb.media_tag as
select h.media_id, h.tag, h.actor, h.actor_id, h.created_at, h.rev_from
from smartdb.tag_history as h
where h.rev_to is null;

comment on view smartdb.media_tag is
    'The tags that are on media now; in a predicate: m.media_id in (select media_id from smartdb.media_tag where tag = ''night'').';
comment on column smartdb.media_tag.media_id is 'The media.';
comment on column smartdb.media_tag.tag is 'The word.';
comment on column smartdb.media_tag.actor is 'Who put it on.';
comment on column smartdb.media_tag.actor_id is 'Identity of who put it on.';
comment on column smartdb.media_tag.created_at is 'When it was put on.';
comment on column smartdb.media_tag.rev_from is 'Revision at which it was put on.';

-- example:
--   select media_id, tag, actor from smartdb.media_tag where tag = 'night' order by media_id
-- result:
--   1 | night | ana
--   2 | night | ana
