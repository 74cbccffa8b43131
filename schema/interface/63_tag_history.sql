-- Every tag that ever was on a media.
create view smartdb.tag_history as
select t.media_id, t.tag, a.name as actor, t.actor_id, t.created_at, t.rev_from, t.rev_to
from core.media_tag as t
left join core.actor as a on a.actor_id = t.actor_id
where t.tag is not null;

comment on view smartdb.tag_history is
    'Every tag that ever was on a media; on at revision r if rev_from <= r and (rev_to is null or rev_to > r).';
comment on column smartdb.tag_history.media_id is 'The media.';
comment on column smartdb.tag_history.tag is 'The word.';
comment on column smartdb.tag_history.actor is 'Who put it on.';
comment on column smartdb.tag_history.actor_id is 'Identity of who put it on.';
comment on column smartdb.tag_history.created_at is 'When it was put on.';
comment on column smartdb.tag_history.rev_from is 'Revision at which it was put on.';
comment on column smartdb.tag_history.rev_to is 'Revision at which it was taken off; null while it is on.';

-- example:
--   select media_id, tag, rev_to is null as is_on from smartdb.tag_history order by media_id, tag
-- result:
--   1 | night | True
--   2 | night | True
--   4 | night | False
