-- The revision of a version, for the functions that read one.
create function smartdb.version_revision(dataset text, version integer) returns bigint
language plpgsql stable as $$
declare
    at smartdb.dataset_version;
begin
    select v.* into at from smartdb.dataset_version as v
    where v.dataset = version_revision.dataset and v.version = version_revision.version;
    if at.pruned_at is not null then
        raise exception 'version % of dataset % was pruned: only its digest is left', version, dataset
            using errcode = 'SD001', hint = 'see: select version from smartdb.dataset_version where pruned_at is null';
    end if;
    return at.revision;
end
$$;
comment on function smartdb.version_revision(text, integer) is
    'The revision of a dataset version: its labels are those of label_at(revision). Null if there is no such version, SD001 if it '
    'was pruned, so that nobody takes what is left of it for the whole.';

-- example:
--   select smartdb.version_revision('pets', 2) = revision from smartdb.dataset_version where dataset
--   = 'pets' and version = 2
-- result:
--   True
