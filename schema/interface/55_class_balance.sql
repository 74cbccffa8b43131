-- How many media of each class every version holds in each split.
create function smartdb.class_balance(dataset text, version integer)
returns table (split text, class text, n bigint, share double precision)
language sql stable
begin atomic
    select
        i.split, i.class, count(*),
        count(*) / sum(count(*)) over (partition by i.split)::double precision
    from smartdb.dataset_item_at(dataset, version) as i
    group by i.split, i.class;
end;
comment on function smartdb.class_balance(text, integer) is
    'How many media of each class a dataset version holds in each split; class null is unlabelled.';

-- example:
--   select * from smartdb.class_balance('pets', 2) order by split, class
-- result:
--   test | dog | 4 | 1
--   train | cat | 3 | 0.6
--   train | dog | 2 | 0.4
