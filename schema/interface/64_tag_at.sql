-- The tags as they were at a revision.
create function smartdb.tag_at(revision bigint) returns setof smartdb.tag_history
language sql stable parallel safe
begin atomic
    select h.* from smartdb.tag_history as h
    where h.rev_from <= revision and (h.rev_to is null or h.rev_to > revision);
end;
comment on function smartdb.tag_at(bigint) is
    'The tags that were on media at a revision, for instance that of a dataset version.';

-- example:
--   select t.media_id, t.tag from smartdb.dataset_version as v, smartdb.tag_at(v.revision) as t
--   where v.version = 2 order by t.media_id, t.tag
-- result:
--   1 | night
--   2 | night
--   4 | night
