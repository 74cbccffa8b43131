-- What a version says, as a number of facts and the sum of their hashes: each member with its
-- split, each label of a member at the version's revision but for what models say. Of some media
-- only, if they are named.
create function smartdb.dataset_facts(dataset text, version integer, media bigint[] default null)
returns table (n bigint, total numeric)
language plpgsql stable set enable_nestloop = off as $$ -- new rows have no statistics yet
declare
    revision constant bigint := smartdb.version_revision(dataset, version);
begin
    perform set_config('enable_nestloop', 'on', true) where media is not null; -- until the function ends
    return query execute format($sql$
        with item as not materialized ( -- so that each part is counted by all cores
            select i.media_id, i.split, hashtextextended(m.sha256, 0) as content
            from smartdb.dataset_item as i
            join smartdb.media as m on m.media_id = i.media_id %s
            where i.dataset = $1 and i.version_from <= $2 and (i.version_to is null or i.version_to > $2)
        ),
        part as (
            select count(*) as n, sum(hash_record_extended(row(i.content, i.split), 1)) as total from item as i
            union all
            select count(*), sum(hash_record_extended(row(
                i.content, l.class, l.kind, l.origin, l.actor, l.x, l.y, l.w, l.h, l.shape, l.attributes), 2))
            from item as i
            join smartdb.label_history as l on l.media_id = i.media_id
            where l.rev_from <= $3 and (l.rev_to is null or l.rev_to > $3) and l.origin <> 'model'
        )
        select sum(p.n)::bigint, coalesce(sum(p.total), 0) from part as p
        $sql$, case when media is not null then 'join unnest($4) as u (media_id) on u.media_id = i.media_id' end)
    using dataset, version, revision, media;
end
$$;
comment on function smartdb.dataset_facts(text, integer, bigint[]) is
    'How many facts a dataset version holds (members with their split, labels but for those of models), of all media or of some, and the sum of '
    'their 64-bit hashes by content, the same in any order.';

-- example:
--   select n from smartdb.dataset_facts('pets', 1)
-- result:
--   23
