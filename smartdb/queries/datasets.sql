-- name: settings
-- How the newest version of a dataset was made, and the ontology of the dataset.
select
    d.ontology_id, o.name, v.version, v.query, v.seed,
    (v.parameters ->> 'val')::double precision, (v.parameters ->> 'test')::double precision,
    v.purpose
from core.dataset as d
join core.ontology as o using (ontology_id)
left join core.dataset_version as v using (dataset_id)
where d.name = %(dataset)s
order by v.version desc nulls last
limit 1;

-- name: ontology_id
-- The identity of an ontology.
select o.ontology_id from core.ontology as o where o.name = %(ontology)s;

-- name: checkpoint
-- A revision that labels live at it never change any more.
select core.checkpoint();

-- name: stage
-- Where the changes of the membership are written; null is no member, refused is why it is none.
drop table if exists pg_temp.changed_item;
create temp table changed_item (media_id bigint not null, before text, after text, refused text);
drop table if exists pg_temp.refused_use;
create temp table refused_use (media_id bigint primary key, reason text);

-- name: find_refused
-- Writes the media whose terms do not allow the purpose, if one is declared.
insert into pg_temp.refused_use (media_id, reason)
select r.media_id, r.reason
from core.use_refused(%(purpose)s, now()) as r
where %(purpose)s::text is not null;

-- name: analyse_refused
-- Tells the planner how many there are.
analyze pg_temp.refused_use;

-- name: join_in_order
-- All is read in the order of media: twice as fast as hashes of millions, and no plan goes wrong
-- where there are no statistics yet. Until the transaction ends.
select set_config('enable_hashjoin', 'off', true), set_config('enable_nestloop', 'off', true);

-- name: find_changes
-- Writes what differs between the members now and those of the newest version: media with a class
-- of the ontology at the revision that fulfil the query.
insert into pg_temp.changed_item (media_id, before, after, refused)
with wanted as (
    select
        c.media_id, r.reason as refused,
        case when r.reason is null then smartdb.split_of(g.split_group, %(seed)s, %(val)s, %(test)s) end as split
    from smartdb.media_class_at(%(revision)s) as c
    join smartdb.split_group as g on g.media_id = c.media_id
    join smartdb.media as m on m.media_id = c.media_id
    left join pg_temp.refused_use as r on r.media_id = c.media_id
    where c.class_id = any (array(
        select k.class_id from core.class as k where k.ontology_id = %(ontology_id)s
    )) and {query}
),
held as (
    select i.media_id, i.split from core.dataset_item as i
    where i.version_to is null
        and i.dataset_id = (select d.dataset_id from core.dataset as d where d.name = %(dataset)s)
)
select media_id, held.split, wanted.split, wanted.refused
from wanted full join held using (media_id)
where wanted.split is distinct from held.split or wanted.refused is not null;

-- name: refused
-- How many were refused, beside the first of them.
select count(*) over (), s.media_id, s.refused
from pg_temp.changed_item as s
where s.refused is not null
order by s.media_id
limit 5;

-- name: leave_out
-- Forgets what was refused and was no member before.
delete from pg_temp.changed_item where before is null and after is null;

-- name: analyse
-- Tells the planner how many there are.
analyze pg_temp.changed_item;

-- name: add_dataset
-- Makes the dataset unless there is one.
insert into core.dataset (name, ontology_id) values (%(dataset)s, %(ontology_id)s)
on conflict (name) do nothing;

-- name: begin
-- Opens the next version and says its number.
insert into core.dataset_version (
    dataset_id, version, revision, query, parameters, seed, purpose, message, run_id
)
select
    d.dataset_id,
    coalesce((
        select max(v.version) from core.dataset_version as v where v.dataset_id = d.dataset_id
    ), 0) + 1,
    %(revision)s, %(query)s, %(parameters)s, %(seed)s, %(purpose)s, %(message)s,
    %(run_id)s
from core.dataset as d
where d.name = %(dataset)s
returning dataset_id, version;

-- name: end_items
-- Ends the membership of what has left or changed its split.
update core.dataset_item as i
set version_to = %(version)s
from pg_temp.changed_item as s
where s.before is not null
    and i.dataset_id = %(dataset_id)s and i.media_id = s.media_id and i.version_to is null;

-- name: add_items
-- Begins the membership of what has come or changed its split.
insert into core.dataset_item (dataset_id, media_id, split, version_from)
select %(dataset_id)s, s.media_id, s.after, %(version)s
from pg_temp.changed_item as s
where s.after is not null;

-- name: analyse_items
-- Statistics for whoever reads this version next.
select core.analyse('core.dataset_item');

-- name: counts
-- How many changed, and how many members there are now, in all and in each split.
select
    c.added, c.removed, c.moved, i.items, i.train, i.val, i.test
from (
    select
        count(*) filter (where s.before is null) as added,
        count(*) filter (where s.after is null) as removed,
        count(*) filter (where s.before <> s.after) as moved
    from pg_temp.changed_item as s
) as c, (
    select
        count(*) as items,
        count(*) filter (where i.split = 'train') as train,
        count(*) filter (where i.split = 'val') as val,
        count(*) filter (where i.split = 'test') as test
    from core.dataset_item as i
    where i.dataset_id = %(dataset_id)s and i.version_to is null
) as i;

-- name: seal
-- Digests the version; from now on it cannot change.
update core.dataset_version as v
set
    n_items = %(n_items)s,
    digest = core.next_digest(v.dataset_id, v.version),
    sealed_at = clock_timestamp()
where v.dataset_id = %(dataset_id)s and v.version = %(version)s
returning v.digest;

-- name: unstage
-- Drops the changes.
drop table pg_temp.changed_item, pg_temp.refused_use;

-- name: versions
-- Sealed versions, of one dataset or all, oldest first.
select
    v.dataset, v.version, v.n_items, v.revision, v.query, v.parameters, v.seed, v.digest,
    v.message, v.ontology, v.run_id, v.sealed_at, v.purpose
from smartdb.dataset_version as v
where v.sealed_at is not null
    and (%(dataset)s::text is null or v.dataset = %(dataset)s)
    and (%(version)s::integer is null or v.version = %(version)s)
order by v.dataset, v.version;

-- name: class_balance
-- How many members of each class each split of a version holds.
select b.split, b.class, b.n, b.share
from smartdb.class_balance(%(dataset)s, %(version)s) as b
order by array_position(array['train', 'val', 'test'], b.split), b.class;

-- name: diff
-- What changed between two versions.
select d.media_id, d.change, d.split_a, d.split_b, d.class_a, d.class_b
from smartdb.dataset_diff(%(dataset)s, %(version_a)s, %(version_b)s) as d
order by d.change, d.media_id;
