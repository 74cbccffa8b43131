-- Relations between labelled things.
create view smartdb.relation as
select
    r.label_id, r.object_id, r.media_id, r.subject_id, s.class as subject, r.class as relation, r.target_id, t.class as target,
    r.origin, r.actor, s.label_id is not null and t.label_id is not null as is_whole
from smartdb.label_history as r
left join smartdb.label_history as s on s.object_id = r.subject_id and s.rev_to is null
left join smartdb.label_history as t on t.object_id = r.target_id and t.rev_to is null
where r.kind = 'relation' and r.rev_to is null;

comment on view smartdb.relation is
    'Live relations, read as subject, relation, target: man rides horse. Ends are objects, so an edit of one changes nothing; where one was '
    'removed, is_whole is false and the relation waits for somebody to remove it too.';
comment on column smartdb.relation.label_id is 'The relation''s label.';
comment on column smartdb.relation.object_id is 'Identity of the relation across edits.';
comment on column smartdb.relation.media_id is 'The media it was said of.';
comment on column smartdb.relation.subject_id is 'object_id of what it is said of.';
comment on column smartdb.relation.subject is 'Class of that as it is now; null: it was removed.';
comment on column smartdb.relation.relation is 'The class of the relation, such as rides.';
comment on column smartdb.relation.target_id is 'object_id of the other end.';
comment on column smartdb.relation.target is 'Class of that as it is now; null: it was removed.';
comment on column smartdb.relation.origin is 'human, import, consensus, model or propagated.';
comment on column smartdb.relation.actor is 'Who said it.';
comment on column smartdb.relation.is_whole is 'Whether both ends are live (and of media that the role may see).';

-- example:
--   select count(*) from smartdb.relation where not is_whole
-- result:
--   0
