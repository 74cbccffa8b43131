-- The members of a version with their split and class.
create function smartdb.dataset_item_at(dataset text, version integer)
returns table (media_id bigint, split text, class text, class_id bigint, label_id bigint)
language sql stable parallel safe
begin atomic
    select i.media_id, i.split, c.class, c.class_id, c.label_id
    from smartdb.dataset_item as i
    left join smartdb.media_class_at((
        select smartdb.version_revision(dataset_item_at.dataset, dataset_item_at.version)
    )) as c on c.media_id = i.media_id
    where i.dataset = dataset_item_at.dataset
        and i.version_from <= dataset_item_at.version
        and (i.version_to is null or i.version_to > dataset_item_at.version)
        and (select smartdb.version_revision(dataset_item_at.dataset, dataset_item_at.version)) is not null;
end;
comment on function smartdb.dataset_item_at(text, integer) is
    'The members of a dataset version, with their split and the class they had at its revision. No rows if there is no such version, SD001 if it was pruned.';

-- example:
--   select * from smartdb.dataset_item_at('pets', 2) where split = 'test' order by media_id
-- result:
--   4 | test | dog | 3 | 14
--   5 | test | dog | 3 | 16
--   9 | test | dog | 3 | 9
--   10 | test | dog | 3 | 10
