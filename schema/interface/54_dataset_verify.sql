-- Whether a version still is what was sealed.
create function smartdb.dataset_verify(dataset text, version integer)
returns table (is_ok boolean, expected text, found text, reason text)
language sql stable
begin atomic
    select
        case
            when v.pruned_at is not null then null
            when c.digest = v.digest then true
            when c.n_erased > 0 then null
            else false
        end,
        v.digest, c.digest,
        case
            when v.pruned_at is not null then 'it was pruned: only its digest is left'
            when c.digest = v.digest then 'members, splits and labels are those that were sealed'
            when c.n_erased > 0 then c.n_erased || ' of its ' || v.n_items
                || ' members were erased since, with what was said of them: it cannot be counted again'
            else 'members, splits or labels are not those that were sealed: somebody with the rights of a superuser '
                'or of smartdb_owner went around the triggers'
        end
    from smartdb.dataset_version as v
    cross join lateral core.count_digest(v.dataset_id, v.version) as c
    where v.dataset = dataset_verify.dataset and v.version = dataset_verify.version and v.sealed_at is not null;
end;
comment on function smartdb.dataset_verify(text, integer) is
    'Whether a sealed version counts to the digest it was sealed with, hidden media included whoever asks: is_ok, the digest '
    'expected and the one found, and in words why. is_ok is null where it cannot be told, because members were erased or the '
    'version was pruned. No row if there is no such version.';

-- example:
--   select is_ok, expected = found as same, reason from smartdb.dataset_verify('pets', 1)
-- result:
--   True | True | members, splits and labels are those that were sealed
