-- Digest of a version by content: members, splits and labels, in any order.
create function smartdb.dataset_digest(dataset text, version integer) returns text
language sql stable
begin atomic
    with item as (
        select i.media_id, i.split from smartdb.dataset_item as i
        where i.dataset = dataset_digest.dataset
            and i.version_from <= dataset_digest.version
            and (i.version_to is null or i.version_to > dataset_digest.version)
    ),
    fact as (
        select hashtextextended(m.sha256 || item.split, 1) as hash
        from item join smartdb.media as m on m.media_id = item.media_id
        union all
        select hashtextextended(
            concat_ws(
                '|', m.sha256, l.class, l.kind, l.origin, l.actor, l.x, l.y, l.w, l.h, l.shape, l.attributes
            ), 2
        )
        from smartdb.label_at((
            select v.revision from smartdb.dataset_version as v
            where v.dataset = dataset_digest.dataset and v.version = dataset_digest.version
        )) as l
        join item on item.media_id = l.media_id
        join smartdb.media as m on m.media_id = l.media_id
    )
    select count(*) || ':' || coalesce(sum(hash), 0) from fact;
end;
comment on function smartdb.dataset_digest(text, integer) is
    'Digest of a dataset version by content (number of facts, sum of their 64-bit hashes over members, splits and labels), '
    'the same in any order and in any database. A changed member or label changes it; it is no protection against forgery.';

-- example:
--   select smartdb.dataset_digest('pets', 1) = digest from smartdb.dataset_version where dataset
--   = 'pets' and version = 1
-- result:
--   True
