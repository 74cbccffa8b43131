-- name: stage_groups
-- Where the members to be are written with their group and the split that is settled already.
drop table if exists pg_temp.split_item, pg_temp.split_stratum;
create temp table split_item (media_id bigint not null, split_group text not null, split text);
create temp table split_stratum (
    split_group text not null, class_id bigint, n bigint not null, split text
);

-- name: find_items
-- Settled is the split of a member, and the last one of what was a member before.
insert into pg_temp.split_item (media_id, split_group, split)
select w.media_id, g.split_group, case when not %(is_resplit)s then w.split end
from (
    select i.media_id, i.split
    from core.dataset_item as i
    left join pg_temp.changed_item as s on s.media_id = i.media_id
    where i.dataset_id = %(dataset_id)s and i.version_to is null and s.media_id is null
    union all
    select s.media_id, coalesce(s.before, (
        select p.split from core.dataset_item as p
        where p.media_id = s.media_id and p.dataset_id = %(dataset_id)s
        order by p.version_to desc limit 1
    ))
    from pg_temp.changed_item as s where s.after is not null
) as w
join smartdb.split_group as g on g.media_id = w.media_id;

-- name: analyse_items
-- Tells the planner how many there are.
analyze pg_temp.split_item;

-- name: find_strata
-- Writes each group with the rarest class of its media. Of groups that have come together only
-- since, the split that was kept apart longest from training wins: test, then val.
insert into pg_temp.split_stratum (split_group, class_id, n, split)
with said as (
    select distinct i.split_group, i.media_id, l.class_id
    from pg_temp.split_item as i
    join core.label as l on l.media_id = i.media_id
    where l.rev_from <= %(revision)s and (l.rev_to is null or l.rev_to > %(revision)s)
        and l.origin in ('consensus', 'human', 'import')
        and l.class_id = any (array(
            select k.class_id from core.class as k where k.ontology_id = %(ontology_id)s
        ))
),
frequency as (select s.class_id, count(*) as n from said as s group by s.class_id),
rarest as (
    select distinct on (s.split_group) s.split_group, s.class_id
    from said as s
    join frequency as f on f.class_id = s.class_id
    order by s.split_group, f.n, s.class_id
)
select
    i.split_group, min(r.class_id), count(*),
    (array['test', 'val', 'train'])[min(array_position(array['test', 'val', 'train'], i.split))]
from pg_temp.split_item as i
left join rarest as r on r.split_group = i.split_group
group by i.split_group;

-- name: assign
-- Settles the groups that are not: in each class in the order of a hash, as many to test and to val
-- as they lack of their share; first one to each split that has none, if there are three groups.
with target as (
    select
        t.class_id,
        greatest(%(test)s * sum(t.n) - coalesce(sum(t.n) filter (where t.split = 'test'), 0), 0) as test,
        greatest(%(val)s * sum(t.n) - coalesce(sum(t.n) filter (where t.split = 'val'), 0), 0) as val,
        (count(*) >= 3 and %(test)s > 0 and count(*) filter (where t.split = 'test') = 0)::integer as first_test,
        (count(*) >= 3 and %(val)s > 0 and count(*) filter (where t.split = 'val') = 0)::integer as first_val,
        (count(*) >= 3 and count(*) filter (where t.split = 'train') = 0)::integer as first_train
    from pg_temp.split_stratum as t group by t.class_id
),
ranked as (
    select
        s.split_group, s.n, t.*,
        row_number() over (
            partition by s.class_id
            -- what is larger than a share goes last, to train
            order by s.n > greatest(t.test, t.val, 1), hashtextextended(s.split_group, %(seed)s), s.split_group
        ) as rank
    from pg_temp.split_stratum as s
    join target as t on t.class_id is not distinct from s.class_id
    where s.split is null
),
filled as (
    select
        r.*, r.first_test + r.first_val + r.first_train as n_first,
        sum(r.n) filter (where r.rank > r.first_test + r.first_val + r.first_train)
            over (partition by r.class_id order by r.rank) - r.n / 2.0 as middle,
        r.test - coalesce(sum(r.n) filter (where r.rank <= r.first_test)
            over (partition by r.class_id), 0) as left_test,
        r.val - coalesce(sum(r.n) filter (where r.rank > r.first_test and r.rank <= r.first_test + r.first_val)
            over (partition by r.class_id), 0) as left_val
    from ranked as r
)
update pg_temp.split_stratum as s
set split = case
    when f.rank <= f.first_test then 'test'
    when f.rank <= f.first_test + f.first_val then 'val'
    when f.rank <= f.n_first then 'train'
    when f.middle <= f.left_test then 'test'
    when f.middle <= greatest(f.left_test, 0) + f.left_val then 'val'
    else 'train'
end
from filled as f
where s.split_group = f.split_group;

-- name: settle
-- Gives what comes, or is split anew, the split of its group.
update pg_temp.changed_item as s set after = t.split
from pg_temp.split_item as i
join pg_temp.split_stratum as t on t.split_group = i.split_group
where i.media_id = s.media_id and s.after <> t.split;

-- name: move_joined
-- Moves the members whose group has come together with one of another split.
insert into pg_temp.changed_item (media_id, before, after)
select i.media_id, i.split, t.split
from pg_temp.split_item as i
join pg_temp.split_stratum as t on t.split_group = i.split_group
left join pg_temp.changed_item as s on s.media_id = i.media_id
where i.split <> t.split and s.media_id is null;

-- name: drop_unchanged
-- Forgets what has the split it had.
delete from pg_temp.changed_item where before = after and refused is null;

-- name: unstage
-- Drops the groups.
drop table pg_temp.split_item, pg_temp.split_stratum;
