-- The class that each media counts as now: a person's word before an import's, the latest of several.
create view smartdb.media_class as
select distinct on (l.media_id) l.media_id, l.class, l.class_id, l.label_id, l.origin, l.actor
from smartdb.label_history as l
where l.kind = 'classification' and l.rev_to is null
    and l.origin in ('consensus', 'human', 'import')
order by
    l.media_id,
    case l.origin when 'consensus' then 0 when 'human' then 1 else 2 end,
    l.rev_from desc;

comment on view smartdb.media_class is
    'The class that each media counts as now: consensus before human before import, the latest of several; never a model''s.';
comment on column smartdb.media_class.media_id is 'The media.';
comment on column smartdb.media_class.class is 'Name of the class.';
comment on column smartdb.media_class.class_id is 'Identity of the class.';
comment on column smartdb.media_class.label_id is 'The label that says so.';
comment on column smartdb.media_class.origin is 'consensus, human or import.';
comment on column smartdb.media_class.actor is 'Who said it.';

-- example:
--   select media_id, class, origin, actor from smartdb.media_class where media_id in (4, 5)
--   order by media_id
-- result:
--   4 | dog | human | ana
--   5 | dog | human | ana
