-- Near-duplicates, exact groups and close neighbours that lie on both sides of a split.
create function smartdb.split_leak(dataset text, version integer)
returns table (media_id bigint, split text, other_media_id bigint, other_split text, split_group text)
language sql stable parallel safe
begin atomic
    with item as (
        select i.media_id, i.split, g.split_group
        from smartdb.dataset_item as i
        join smartdb.split_group as g on g.media_id = i.media_id
        where i.dataset = split_leak.dataset
            and i.version_from <= split_leak.version
            and (i.version_to is null or i.version_to > split_leak.version)
            and (select smartdb.version_revision(split_leak.dataset, split_leak.version)) is not null
    )
    select a.media_id, a.split, b.media_id, b.split, a.split_group
    from item as a
    join item as b on b.split_group = a.split_group and b.split > a.split
    union all
    select a.media_id, a.split, b.media_id, b.split, a.split_group
    from item as a
    join smartdb.donor as d on d.media_id = a.media_id
    join item as b on b.media_id = d.donor_id and b.split <> a.split;
end;
comment on function smartdb.split_leak(text, integer) is
    'Pairs of members that belong together (same group or near-duplicates, as known now, or one shows objects of the other) but lie in different splits; none is right.';

-- example:
--   select * from smartdb.split_leak('pets', 1)
-- result:
--   4 | test | 3 | train | group scene 1
