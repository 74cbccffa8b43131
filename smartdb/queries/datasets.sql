-- name: settings
-- How the newest version of a dataset was made, and the ontology of the dataset.
select
    d.ontology_id, o.name, v.version, v.query, v.seed,
    (v.parameters ->> 'val')::double precision, (v.parameters ->> 'test')::double precision
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

-- name: limit_time
-- Ends a statement of this transaction that takes longer.
select set_config('statement_timeout', %(milliseconds)s, true);

-- name: members
-- Media with a class of the ontology at the revision that fulfil the query; split 0 is train.
select
    c.media_id,
    case smartdb.split_of(g.split_group, %(seed)s, %(val)s, %(test)s)
        when 'train' then 0 when 'val' then 1 else 2
    end
from smartdb.media_class_at(%(revision)s) as c
join core.class as k on k.class_id = c.class_id and k.ontology_id = %(ontology_id)s
join smartdb.split_group as g on g.media_id = c.media_id
where c.media_id in (select w.media_id from smartdb.media_where(%(query)s) as w);

-- name: add_dataset
-- Makes the dataset unless there is one.
insert into core.dataset (name, ontology_id) values (%(dataset)s, %(ontology_id)s)
on conflict (name) do nothing;

-- name: begin
-- Opens the next version and says its number.
insert into core.dataset_version (
    dataset_id, version, revision, query, parameters, seed, message, run_id
)
select
    d.dataset_id,
    coalesce((
        select max(v.version) from core.dataset_version as v where v.dataset_id = d.dataset_id
    ), 0) + 1,
    %(revision)s, %(query)s, %(parameters)s, %(seed)s, %(message)s, %(run_id)s
from core.dataset as d
where d.name = %(dataset)s
returning dataset_id, version;

-- name: stage
-- Where the members are copied to.
create temp table copied_item (media_id bigint not null, split integer not null) on commit drop;

-- name: analyse
-- Tells the planner how many there are.
analyze pg_temp.copied_item;

-- name: end_items
-- Ends the membership of what has left or changed its split.
update core.dataset_item as i
set version_to = %(version)s
where i.dataset_id = %(dataset_id)s and i.version_to is null
    and not exists (
        select from pg_temp.copied_item as s
        where s.media_id = i.media_id and (array['train', 'val', 'test'])[s.split + 1] = i.split
    );

-- name: add_items
-- Begins the membership of what has come or changed its split.
insert into core.dataset_item (dataset_id, media_id, split, version_from)
select %(dataset_id)s, s.media_id, (array['train', 'val', 'test'])[s.split + 1], %(version)s
from pg_temp.copied_item as s
where not exists (
    select from core.dataset_item as i
    where i.dataset_id = %(dataset_id)s and i.media_id = s.media_id and i.version_to is null
);

-- name: moved
-- How many members changed their split.
select count(*) from core.dataset_item as i
join pg_temp.copied_item as s on s.media_id = i.media_id
where i.dataset_id = %(dataset_id)s and i.version_to = %(version)s;

-- name: seal
-- Counts and digests the members; from now on the version cannot change.
update core.dataset_version as v
set
    n_items = (
        select count(*) from core.dataset_item as i
        where i.dataset_id = v.dataset_id and i.version_to is null
    ),
    digest = smartdb.dataset_digest(%(dataset)s, v.version),
    sealed_at = clock_timestamp()
where v.dataset_id = %(dataset_id)s and v.version = %(version)s
returning v.digest;

-- name: versions
-- Sealed versions, of one dataset or all, oldest first.
select
    v.dataset, v.version, v.n_items, v.revision, v.query, v.parameters, v.seed, v.digest,
    v.message, v.ontology, v.run_id, v.sealed_at
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
