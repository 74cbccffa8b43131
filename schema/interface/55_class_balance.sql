-- How many media of each class every version holds in each split.
create function smartdb.class_balance(dataset text, version integer)
returns table (split text, class text, n bigint, share double precision)
language plpgsql stable as $$
#variable_conflict use_column
declare
    at smartdb.dataset_version; -- known before the plan is made, or a million classes are kept in between
begin
    perform smartdb.version_revision(dataset, version);
    select v.* into at from smartdb.dataset_version as v
    where v.dataset = class_balance.dataset and v.version = class_balance.version;
    return query
    with counted as (
        select i.split, c.class_id, c.class, count(*) as n
        from smartdb.dataset_item as i
        left join smartdb.media_class_at(at.revision) as c on c.media_id = i.media_id
        where i.dataset_id = at.dataset_id
            and i.version_from <= at.version and (i.version_to is null or i.version_to > at.version)
        group by i.split, c.class_id, c.class
    )
    select k.split, k.class, k.n, k.n / sum(k.n) over (partition by k.split)::double precision
    from counted as k;
end
$$;
comment on function smartdb.class_balance(text, integer) is
    'How many media of each class a dataset version holds in each split; class null is unlabelled.';

-- example:
--   select * from smartdb.class_balance('pets', 2) order by split, class
-- result:
--   test | dog | 4 | 1
--   train | cat | 3 | 0.6
--   train | dog | 2 | 0.4
