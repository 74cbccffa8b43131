-- name: settings
-- How the newest version of a dataset was made, and the ontology of the dataset.
select
    d.dataset_id, d.ontology_id, o.name as ontology, v.version, v.revision, v.query, v.seed,
    (v.parameters ->> 'val')::double precision as val,
    (v.parameters ->> 'test')::double precision as test,
    v.parameters ->> 'stratify' as stratify, v.purpose, v.encoder_id, v.batch_id
from core.dataset as d
join core.ontology as o using (ontology_id)
left join core.dataset_version as v using (dataset_id)
where d.name = %(dataset)s
order by v.version desc nulls last
limit 1;

-- name: encoder_id
-- The identity of an encoder.
select e.encoder_id from core.encoder as e where e.name = %(encoder)s;

-- name: batch_encoder
-- A batch and the encoder that its sampler used, if it names one.
select b.batch_id, e.encoder_id
from core.batch as b
left join core.encoder as e on e.name = b.parameters ->> 'encoder'
where b.batch_id = %(batch)s;

-- name: stage
-- Where the changes of the membership are written; null is no member, refused is why it is none.
drop table if exists
    pg_temp.changed_item, pg_temp.refused_use, pg_temp.unclassified, pg_temp.touched_item;
create temp table changed_item (media_id bigint not null, before text, after text, refused text);
create temp table refused_use (media_id bigint primary key, reason text);
create temp table unclassified (media_id bigint not null);
create temp table touched_item (media_id bigint not null);

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
-- Writes how the media that fulfil the query differ from the members of the newest version,
-- whatever their labels. Where the split is decided later it is the one before, or train.
insert into pg_temp.changed_item (media_id, before, after, refused)
with wanted as (
    select
        m.media_id, r.reason as refused,
        case when r.reason is null and %(stratify)s::text is null then smartdb.split_of(
            case
                when m.recipe ->> 'step' = 'augment' then smartdb.split_group_name(m.media_id)
                else smartdb.split_group_of(m.group_key, coalesce(encode(d.group_sha256, 'hex'), m.sha256))
            end,
            %(seed)s, %(val)s, %(test)s
        ) end as split
    from smartdb.media as m
    left join core.duplicate as d on d.media_id = m.media_id
    left join pg_temp.refused_use as r on r.media_id = m.media_id
    where {query}
),
held as (
    select i.media_id, i.split from core.dataset_item as i
    where i.version_to is null and i.dataset_id = %(dataset_id)s
),
compared as (
    select
        media_id, held.split as before, wanted.refused,
        case
            when wanted.media_id is null or wanted.refused is not null then null
            when %(stratify)s::text is null then wanted.split
            else coalesce(held.split, 'train')
        end as after
    from wanted full join held using (media_id)
)
select c.media_id, c.before, c.after, c.refused
from compared as c
where c.before is distinct from c.after or c.refused is not null or %(is_resplit)s;

-- name: find_restored
-- Writes how the members of the parent version, in the splits of then, differ from those of the
-- newest version. What is hidden from pipelines now stays out.
insert into pg_temp.changed_item (media_id, before, after, refused)
with wanted as (
    select i.media_id, i.split, r.reason as refused
    from core.dataset_item as i
    join smartdb.media as m on m.media_id = i.media_id
    left join pg_temp.refused_use as r on r.media_id = i.media_id
    where i.dataset_id = %(parent_dataset_id)s and i.version_from <= %(parent_version)s
        and (i.version_to is null or i.version_to > %(parent_version)s)
),
held as (
    select i.media_id, i.split from core.dataset_item as i
    where i.version_to is null and i.dataset_id = %(dataset_id)s
)
select media_id, held.split, case when wanted.refused is null then wanted.split end, wanted.refused
from wanted full join held using (media_id)
where held.split is distinct from wanted.split or wanted.refused is not null;

-- name: n_hidden
-- How many members of the parent version are hidden from pipelines now, or erased.
select count(*)
from core.dataset_item as i
where i.dataset_id = %(parent_dataset_id)s and i.version_from <= %(parent_version)s
    and (i.version_to is null or i.version_to > %(parent_version)s)
    and not exists (select from smartdb.media as m where m.media_id = i.media_id);

-- name: close_labels
-- Ends the labels of these media that were not true at the revision, unless they say the same.
update core.label as l set rev_to = 0
from pg_temp.restored_item as i
where l.media_id = i.media_id and l.rev_to is null and l.rev_from > %(revision)s
    and not exists (
        select from core.label as o
        where o.object_id = l.object_id
            and o.rev_from <= %(revision)s and (o.rev_to is null or o.rev_to > %(revision)s)
            and (o.media_id, o.class_id, o.kind, o.x, o.y, o.w, o.h, o.shape, o.attributes, o.track_id, o.subject_id, o.target_id,
                o.origin, o.actor_id, o.confidence)
            is not distinct from
            (l.media_id, l.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes, l.track_id, l.subject_id, l.target_id,
                l.origin, l.actor_id, l.confidence)
    );

-- name: reopen_labels
-- Says again what was true of these media at the revision and no longer is: as the same object, in
-- the words of who said it, by the run.
insert into core.label (
    object_id, media_id, class_id, kind, x, y, w, h, shape, attributes, track_id, subject_id, target_id, origin, actor_id,
    confidence, task_id, run_id
)
select
    o.object_id, o.media_id, o.class_id, o.kind, o.x, o.y, o.w, o.h, o.shape, o.attributes,
    o.track_id, o.subject_id, o.target_id, o.origin, o.actor_id, o.confidence, o.task_id, %(run_id)s
from pg_temp.restored_item as i
join core.label as o on o.media_id = i.media_id
where o.rev_from <= %(revision)s and o.rev_to > %(revision)s
    and not exists (select from core.label as l where l.object_id = o.object_id and l.rev_to is null);

-- name: stage_restored
-- Lists the members of a version, but for hidden ones.
create temp table restored_item as
select m.media_id
from core.dataset_item as i
join smartdb.media as m on m.media_id = i.media_id
where i.dataset_id = %(dataset_id)s and i.version_from <= %(version)s
    and (i.version_to is null or i.version_to > %(version)s);

-- name: unstage_restored
-- Forgets them.
drop table pg_temp.restored_item;

-- name: scan_in_order
-- Labels are read as they lie, and sorted: twice as fast as by a bitmap. Until the transaction ends.
select
    set_config('enable_hashjoin', 'off', true), set_config('enable_nestloop', 'off', true),
    set_config('enable_bitmapscan', 'off', true);

-- name: find_unclassified
-- Writes those that come and have no class as a whole: most have, and that is quickly read.
insert into pg_temp.unclassified (media_id)
select s.media_id
from pg_temp.changed_item as s
where s.before is null and not exists (
    select from core.label as l
    where l.media_id = s.media_id and l.kind = 'classification'
        and l.rev_from <= %(revision)s and (l.rev_to is null or l.rev_to > %(revision)s)
        and l.origin in ('consensus', 'human', 'import')
        and l.class_id = any (array(
            select k.class_id from core.class as k where k.ontology_id = %(ontology_id)s
        ))
);

-- name: analyse_unclassified
-- Tells the planner how many there are.
analyze pg_temp.unclassified;

-- name: drop_unlabelled
-- Forgets those of them that have no other label of the ontology either.
delete from pg_temp.changed_item as s
using pg_temp.unclassified as u
where s.media_id = u.media_id and not exists (
    select from core.label as l
    where l.media_id = u.media_id
        and l.rev_from <= %(revision)s and (l.rev_to is null or l.rev_to > %(revision)s)
        and l.origin in ('consensus', 'human', 'import')
        and l.class_id = any (array(
            select k.class_id from core.class as k where k.ontology_id = %(ontology_id)s
        ))
);

-- name: find_touched
-- Writes the members whose labels have changed since the newest version.
insert into pg_temp.touched_item (media_id)
select t.media_id
from (
    select l.media_id from core.label as l
    where l.rev_from > %(newest_revision)s and l.rev_from <= %(revision)s
    union
    select l.media_id from core.label as l
    where l.rev_to > %(newest_revision)s and l.rev_to <= %(revision)s
) as t
join core.dataset_item as i
    on i.media_id = t.media_id and i.dataset_id = %(dataset_id)s and i.version_to is null;

-- name: end_unlabelled
-- Those of them that have no label of the ontology left are members no longer.
merge into pg_temp.changed_item as s
using (
    select i.media_id, i.split
    from pg_temp.touched_item as t
    join core.dataset_item as i
        on i.media_id = t.media_id and i.dataset_id = %(dataset_id)s and i.version_to is null
    where not exists (
        select from core.label as l
        where l.media_id = t.media_id
            and l.rev_from <= %(revision)s and (l.rev_to is null or l.rev_to > %(revision)s)
            and l.origin in ('consensus', 'human', 'import')
            and l.class_id = any (array(
                select k.class_id from core.class as k where k.ontology_id = %(ontology_id)s
            ))
    )
) as gone on s.media_id = gone.media_id
when matched then update set after = null
when not matched then insert (media_id, before) values (gone.media_id, gone.split);

-- name: is_same
-- Whether neither a member nor a label of one has changed.
select not exists (select from pg_temp.changed_item) and not exists (select from pg_temp.touched_item);

-- name: not_members
-- Those of these media that will not be members.
select a.media_id
from unnest(%(ids)s::bigint[]) as a (media_id)
left join pg_temp.changed_item as s on s.media_id = a.media_id
left join core.dataset_item as i
    on i.media_id = a.media_id and i.dataset_id = %(dataset_id)s and i.version_to is null
where case when s.media_id is null then i.media_id is null else s.after is null end
order by 1;

-- name: n_not_members
-- How many media of a batch will not be members.
select count(*)
from core.batch_item as b
left join pg_temp.changed_item as s on s.media_id = b.media_id
left join core.dataset_item as i
    on i.media_id = b.media_id and i.dataset_id = %(dataset_id)s and i.version_to is null
where b.batch_id = %(batch_id)s
    and case when s.media_id is null then i.media_id is null else s.after is null end;

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
    dataset_id, version, revision, query, parameters, seed, ontology_version, encoder_id, batch_id,
    parent_dataset_id, parent_version, purpose, message, run_id
)
select
    d.dataset_id,
    coalesce((
        select max(v.version) from core.dataset_version as v where v.dataset_id = d.dataset_id
    ), 0) + 1,
    %(revision)s, %(query)s, %(parameters)s, %(seed)s,
    coalesce(%(ontology_version)s, (
        select max(o.version) from core.ontology_version as o where o.ontology_id = d.ontology_id
    )),
    %(encoder_id)s, %(batch_id)s, %(parent_dataset_id)s, %(parent_version)s, %(purpose)s,
    %(message)s, %(run_id)s
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
drop table pg_temp.changed_item, pg_temp.refused_use, pg_temp.unclassified, pg_temp.touched_item;

-- name: versions
-- Sealed versions, of one dataset or all, oldest first; by number or by a tag that points to it.
select
    v.dataset, v.version, v.n_items, v.revision, v.query, v.parameters, v.seed, v.digest,
    v.message, v.ontology, v.run_id, v.sealed_at, v.purpose, v.ontology_version, v.encoder,
    v.batch_id, v.parent_dataset, v.parent_version, v.tags, v.is_pinned, v.pruned_at
from smartdb.dataset_version as v
where v.sealed_at is not null
    and (%(dataset)s::text is null or v.dataset = %(dataset)s)
    and (%(version)s::integer is null or v.version = %(version)s)
    and (%(tag)s::text is null or %(tag)s = any (v.tags))
order by v.dataset, v.version;

-- name: class_balance
-- How many members of each class each split of a version holds.
select b.split, b.class, b.n, b.share
from smartdb.class_balance(%(dataset)s, %(version)s) as b
order by array_position(array['train', 'val', 'test'], b.split), b.class;

-- name: diff
-- What changed in the media between two versions.
select d.media_id, d.change, d.split_a, d.split_b, d.class_a, d.class_b
from smartdb.dataset_diff(%(dataset)s, %(version_a)s, %(version_b)s) as d
order by d.change, d.media_id;

-- name: label_diff
-- What changed in the labels of the media that two versions share.
select d.media_id, d.object_id, d.change, d.kind, d.class_a, d.class_b, d.actor_a, d.actor_b
from smartdb.dataset_label_diff(%(dataset)s, %(version_a)s, %(version_b)s) as d
order by d.media_id, d.object_id;

-- name: class_diff
-- What changed in the classes between two versions.
select d.change, d.class_a, d.class_b, d.ontology_version
from smartdb.dataset_class_diff(%(dataset)s, %(version_a)s, %(version_b)s) as d
order by d.ontology_version, d.change, d.class_a, d.class_b;

-- name: verify
-- Whether a version still counts to its digest.
select v.is_ok, v.expected, v.found, v.reason
from smartdb.dataset_verify(%(dataset)s, %(version)s) as v;
