-- Digest of a version by content: members, splits and labels, in any order.
create function smartdb.dataset_digest(dataset text, version integer) returns text
language sql stable
begin atomic
    select f.n || ':' || f.total from smartdb.dataset_facts(dataset, version) as f;
end;
comment on function smartdb.dataset_digest(text, integer) is
    'Digest of a dataset version by content (number of facts, sum of their 64-bit hashes over members, splits and labels), '
    'the same in any order and in any database. A changed member or label changes it; it is no protection against forgery. '
    'Media hidden from the caller do not count, nor do erased ones: of a version that held some, the digest it was sealed with '
    'can no longer be counted again (see smartdb.tombstone).';

-- example:
--   select smartdb.dataset_digest('pets', 1) = digest from smartdb.dataset_version where dataset
--   = 'pets' and version = 1
-- result:
--   True
