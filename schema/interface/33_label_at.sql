-- The labels as they were at a revision.
create function smartdb.label_at(revision bigint) returns setof smartdb.label_history
language sql stable parallel safe
begin atomic
    select l.* from smartdb.label_history as l
    where l.rev_from <= revision and (l.rev_to is null or l.rev_to > revision);
end;
comment on function smartdb.label_at(bigint) is
    'The labels that were true at a revision, for instance that of a dataset version.';

-- example:
--   select l.class, l.actor from smartdb.dataset_version as v, smartdb.label_at(v.revision) as l
--   where v.version = 1 and l.media_id = 5
-- result:
--   cat | folder names
