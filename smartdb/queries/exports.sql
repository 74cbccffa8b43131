-- name: ontology
-- The ontology of a dataset.
select d.dataset_id, d.ontology_id from core.dataset as d where d.name = %(dataset)s;

-- name: stage
-- Where the plan of an export is written: its media in their order, and those that are left out.
drop table if exists pg_temp.export_item, pg_temp.export_refused;
create temp table export_refused (media_id bigint primary key, reason text not null);
create temp table export_item (
    place bigint primary key, part integer not null, media_id bigint not null, split text not null,
    n_bytes bigint not null, name text not null, is_shared boolean not null
);

-- name: unstage
-- Drops the plan.
drop table if exists pg_temp.export_item, pg_temp.export_refused;

-- name: find_refused
-- Writes the members that are hidden, or whose terms do not allow the use (any use, if none is named).
insert into pg_temp.export_refused (media_id, reason)
select i.media_id, coalesce(min(r.reason), 'it is hidden')
from smartdb.dataset_item as i
left join core.use_refused(%(purpose)s, now()) as r on r.media_id = i.media_id
where i.dataset = %(dataset)s and i.version_from <= %(version)s
    and (i.version_to is null or i.version_to > %(version)s)
    and (r.media_id is not null or i.media_id in (select x.media_id from core.restriction as x))
    and not exists (select from core.tombstone as t where t.media_id = i.media_id)
group by i.media_id;

-- name: refused
-- How many were refused, beside the first of them.
select count(*) over (), r.media_id, r.reason
from pg_temp.export_refused as r
order by r.media_id
limit 5;

-- name: find_items
-- Writes the members in the order of the export: split by split, by content, or shuffled by a seed.
-- Parts are shards of one split that are full at so many bytes or media. A name is the end of
-- where the media lies; is_shared says that another one has it as well, up to its ending and case.
insert into pg_temp.export_item (place, part, media_id, split, n_bytes, name, is_shared)
with item as (
    select
        i.media_id, i.split, array_position(array['train', 'val', 'test'], i.split) as split_place,
        case when %(seed)s::bigint is null then m.sha256
            else sha256(convert_to(%(seed)s::text || ':', 'UTF8') || m.sha256) end as key,
        case when %(is_carried)s then m.n_bytes else 0 end + 1024 as cost, m.n_bytes,
        case when %(names)s = 'original' then coalesce(regexp_replace(u.uri, '^.*/', ''), '') else '' end as name
    from smartdb.dataset_item as i
    join core.media as m on m.media_id = i.media_id
    left join lateral (
        select l.uri || case m.kind when 'frame' then '#frame=' || m.frame_index else '' end as uri
        from core.media_location as l
        where %(names)s = 'original'
            and l.media_id = case m.kind when 'frame' then m.parent_media_id else m.media_id end
            and not l.is_managed
        order by l.uri collate "C" limit 1
    ) as u on true
    where i.dataset = %(dataset)s and i.version_from <= %(version)s
        and (i.version_to is null or i.version_to > %(version)s)
        and m.kind <> 'video'
        and not exists (select from pg_temp.export_refused as r where r.media_id = i.media_id)
        and not exists (select from core.tombstone as t where t.media_id = i.media_id)
),

placed as (
    select
        i.*,
        row_number() over (order by i.split_place, i.key) as place,
        floor((sum(i.cost) over shard - i.cost) / %(limit)s)::integer as shard_by_bytes,
        ((row_number() over shard - 1) / %(n)s)::integer as shard_by_number,
        count(*) over (partition by replace(lower(regexp_replace(i.name, '[.][^.]*$', '')), '.', '_')) > 1 as is_shared
    from item as i
    window shard as (partition by i.split order by i.key)
)

select
    p.place, dense_rank() over (order by p.split_place, p.shard_by_bytes + p.shard_by_number) - 1,
    p.media_id, p.split, p.n_bytes, p.name, p.is_shared
from placed as p
order by p.place;

-- name: analyse
-- Tells the planner how many there are.
analyze pg_temp.export_item;

-- name: left_out
-- How many members are left out: refused, erased since, and videos (their frames are pictures).
select
    (select count(*) from pg_temp.export_refused) as refused,
    count(*) filter (where t.media_id is not null) as erased,
    count(*) filter (where m.kind = 'video' and t.media_id is null) as videos
from smartdb.dataset_item as i
left join core.tombstone as t on t.media_id = i.media_id
left join core.media as m on m.media_id = i.media_id
where i.dataset = %(dataset)s and i.version_from <= %(version)s
    and (i.version_to is null or i.version_to > %(version)s)
    and (t.media_id is not null or m.kind = 'video');

-- name: splits
-- How many media go into each split.
select e.split, count(*) from pg_temp.export_item as e
group by e.split order by array_position(array['train', 'val', 'test'], e.split);

-- name: parts
-- The parts: the places of their media, and their number within the split.
select
    e.part, e.split, min(e.place), max(e.place), row_number() over (partition by e.split order by e.part) - 1,
    count(*) over (partition by e.split)
from pg_temp.export_item as e
group by e.part, e.split
order by e.part;

-- name: classes
-- The classes that the ontology had when the version was made, and those that labels of its media
-- have all the same, by age.
select c.name, p.name as parent
from core.class as c
left join core.class as p on p.class_id = c.parent_class_id
where c.ontology_id = %(ontology_id)s and (
    (
        c.version_from <= %(ontology_version)s
        and (c.version_to is null or c.version_to > %(ontology_version)s)
    ) or c.class_id in (
        select l.class_id from smartdb.label_at(%(revision)s) as l
        join pg_temp.export_item as e on e.media_id = l.media_id
        where l.origin = any (%(origins)s::text[])
    )
)
order by c.class_id;

-- name: page
-- The next media of the plan.
select e.media_id, e.place, e.split, e.n_bytes, e.name, e.is_shared
from pg_temp.export_item as e
where e.place > %(after)s and e.place <= %(upto)s
order by e.place
limit %(n)s;

-- name: labels
-- What is said of some media at the revision, by content: of a whole picture by the strongest
-- origin (consensus, human, import), of things in it by all; what several actors say alike is said
-- once, and classes come with the latest first.
with said as (
    select
        l.*, core.label_content(l.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes) as content,
        array_position(array['consensus', 'human', 'import', 'model', 'propagated'], l.origin) as weight
    from smartdb.label_at(%(revision)s) as l
    where l.media_id = any (%(media_ids)s::bigint[]) and l.origin = any (%(origins)s::text[]) and l.kind <> 'relation'
        and l.class_id in (select c.class_id from core.class as c where c.ontology_id = %(ontology_id)s)
),

numbered as (
    select
        s.*, row_number() over (partition by s.media_id, s.content, s.actor_id order by s.confidence, s.label_id) as n,
        min(s.weight) over (partition by s.media_id, s.kind) as strongest
    from said as s
),

told as (
    select distinct on (n.media_id, n.content, n.n) n.*
    from numbered as n
    where n.kind <> 'classification' or n.weight = n.strongest
    order by n.media_id, n.content, n.n, n.weight, n.confidence, n.label_id
)

select
    t.media_id, t.class, t.kind, t.x, t.y, t.w, t.h, t.shape, t.attributes, t.track_id,
    t.confidence::text::double precision, t.label_id, t.rev_from
from told as t
order by
    t.media_id, t.kind collate "C", t.class collate "C", t.x, t.y, t.w, t.h, t.shape::text collate "C",
    t.attributes::text collate "C", t.confidence, t.track_id, t.n;

-- name: n_relations
-- How many relations are said of the media of the plan at the revision.
select count(*)
from smartdb.label_at(%(revision)s) as l
join pg_temp.export_item as e on e.media_id = l.media_id
where l.kind = 'relation' and l.origin = any (%(origins)s::text[]);

-- name: begin
-- Opens an export, or goes on with the one that was begun at this place.
insert into core.export (dataset_id, version, format, uri, parameters, purpose, n_items, run_id)
values (
    %(dataset_id)s, %(version)s, %(format)s, %(uri)s, %(parameters)s, %(purpose)s, %(n_items)s, %(run_id)s
)
on conflict (uri) where state <> 'gone' do update
set run_id = excluded.run_id
where export.state = 'unfinished' and export.dataset_id = excluded.dataset_id
    and export.version = excluded.version and export.format = excluded.format
    and export.parameters = excluded.parameters and export.n_items = excluded.n_items
returning export_id;

-- name: add_part
-- Says which media a part holds, and in which files.
insert into core.export_part (export_id, part, media_ids, paths)
values (%(export_id)s, %(part)s, %(media_ids)s, %(paths)s)
on conflict on constraint export_part_pk do nothing;

-- name: complete
-- The export is there, with the digest of its manifest.
update core.export set
    state = 'complete', n_files = %(n_files)s, n_bytes = %(n_bytes)s, manifest_sha256 = %(sha256)s,
    finished_at = clock_timestamp()
where export_id = %(export_id)s;

-- name: unfinished
-- The export at this place that is not known to be complete.
select e.export_id from core.export as e where e.uri = %(uri)s and e.state = 'unfinished';

-- name: is_finished
-- Whether the export at this place is known to be complete.
select e.export_id from core.export as e where e.uri = %(uri)s and e.state = 'complete';

-- name: forget
-- Notes that there is no such export at this place any more, and forgets what it held.
with gone as (
    update core.export set state = 'gone' where uri = %(uri)s and state <> 'gone' returning export_id
)
delete from core.export_part as p using gone as g where p.export_id = g.export_id;

-- name: list
-- The exports, of one dataset or version or all, oldest first.
select
    e.export_id, e.dataset, e.version, e.format, e.uri, e.state, e.n_items, e.n_files, e.n_bytes,
    e.manifest_sha256, e.purpose, e.n_erased, e.n_restricted, e.is_stale, e.created_at, e.finished_at
from smartdb.export as e
where (%(dataset)s::text is null or e.dataset = %(dataset)s)
    and (%(version)s::integer is null or e.version = %(version)s)
    and (e.is_stale or not %(stale)s)
    and e.export_id > %(after)s
order by e.export_id
limit %(limit)s;

-- name: licences
-- The licences of the sources that the media of the plan lie in; null is not stated.
select distinct s.licence
from pg_temp.export_item as e
join core.media as m on m.media_id = e.media_id
join core.media_location as l
    on l.media_id = case m.kind when 'frame' then m.parent_media_id else m.media_id end
join core.source as s on s.source_id = l.source_id
order by s.licence;
