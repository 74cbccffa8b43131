-- name: candidates
-- What chance says of each of these media, by a seed, as in smartdb.sample_random.
select u.media_id, hashint8extended(u.media_id, %(seed)s)
from unnest(%(media_ids)s::bigint[]) as u (media_id)
order by u.media_id;

-- name: is_grouped
-- Whether near-duplicates were ever grouped.
select from core.run as r where r.kind = 'duplicates' and r.status = 'succeeded' limit 1;

-- name: groups
-- Of near-duplicates among these media: the one to keep, and how many they are.
select d.media_id, first_value(d.media_id) over best, count(*) over (partition by d.group_id)
from smartdb.duplicate_group as d
join smartdb.media as m on m.media_id = d.media_id
where d.media_id = any (%(media_ids)s::bigint[])
window best as (
    partition by d.group_id
    order by d.is_representative desc, m.width::bigint * m.height desc, m.sharpness desc nulls last, d.media_id
)
order by d.media_id;

-- name: thresholds
-- Kinds of findings that are made of statistics.
select t.kind from smartdb.quality_threshold as t order by t.kind;

-- name: measured
-- Those of these media whose pixels were measured.
select q.media_id from core.quality as q
where q.media_id = any (%(media_ids)s::bigint[])
order by q.media_id;

-- name: failed
-- Media beyond a threshold, by how many and which; what a person called a false finding is not.
select
    f.media_id, count(*),
    string_agg(f.kind || ': ' || t.statistic || ' ' || round(f.score::numeric, 3)
        || case when f.score < t.below then ' below ' || t.below else ' above ' || t.above end, '; ' order by f.kind)
from core.quality_finding as f
join smartdb.quality_threshold as t on t.kind = f.kind
where f.media_id = any (%(media_ids)s::bigint[]) and f.kind = any (%(kinds)s::text[])
    and not exists (
        select from core.finding as r
        where r.media_id = f.media_id and r.kind = f.kind and r.resolution in ('false', 'accepted')
    )
group by f.media_id;

-- name: dynamics
-- Training dynamics of these media, means over runs that all of them are of.
select
    d.media_id, avg(d.el2n)::double precision,
    avg(case d.n_correct when 0 then d.n_epochs else d.n_forgotten end)::double precision,
    max(d.n_epochs)::bigint, sum(d.n_correct)
from core.training_dynamics as d
where d.run_id = any (%(runs)s::bigint[]) and d.media_id = any (%(media_ids)s::bigint[])
group by d.media_id
having count(*) = cardinality(%(runs)s::bigint[])
order by d.media_id;

-- name: known
-- The plan that just this call made before, of the same facts.
select p.pruning_id from core.pruning as p
left join core.encoder as e on e.encoder_id = p.encoder_id
where p.method = %(method)s and p.parameters = %(parameters)s and p.seed = %(seed)s
    and p.predicate = %(predicate)s and e.name is not distinct from %(encoder)s
    and p.inputs_sha256 = %(inputs_sha256)s
order by p.pruning_id desc
limit 1;

-- name: add
-- Stores a plan.
insert into core.pruning (
    method, parameters, seed, run_id, encoder_id, predicate, n_candidates, n_kept, inputs_sha256
)
select
    %(method)s, %(parameters)s, %(seed)s, %(run_id)s,
    (select e.encoder_id from core.encoder as e where e.name = %(encoder)s),
    %(predicate)s, %(n_candidates)s, %(n_kept)s, %(inputs_sha256)s
returning pruning_id;

-- name: add_items
-- Moves the copied candidates to their plan.
insert into core.pruning_item (pruning_id, media_id, rank, score, reason, kept_by)
select %(pruning_id)s, s.media_id, s.rank, s.score, s.reason, s.kept_by
from pg_temp.copied_pruning_item as s
order by s.rank;

-- name: find
-- A plan.
select
    p.pruning_id, p.method, p.parameters, p.seed, p.run_id, p.encoder, p.predicate,
    p.n_candidates, p.n_kept, p.created_at
from smartdb.pruning as p
where p.pruning_id = %(pruning_id)s;

-- name: list
-- The plans, newest first.
select
    p.pruning_id, p.method, p.parameters, p.seed, p.run_id, p.encoder, p.predicate,
    p.n_candidates, p.n_kept, p.created_at
from smartdb.pruning as p
order by p.pruning_id desc
limit %(limit)s;

-- name: items
-- The candidates of a plan in the order of keeping.
select i.media_id, i.rank from smartdb.pruning_item as i
where i.pruning_id = %(pruning_id)s
order by i.rank;

-- name: classes
-- The classes that these media count as.
select c.media_id, c.class_id from smartdb.media_class as c
where c.media_id = any (%(media_ids)s::bigint[])
order by c.media_id;

-- name: duplicate_groups
-- The near-duplicate groups of these media.
select d.media_id, d.group_id from smartdb.duplicate_group as d
where d.media_id = any (%(media_ids)s::bigint[])
order by d.media_id;

-- name: curve
-- What a plan leaves at each fraction.
select
    c.keep, c.n_kept, c.mean_distance, c.p95_distance, c.clusters_hit, c.n_classes,
    c.smallest_class, c.class_distance, c.duplicates_dropped, c.n_probes
from smartdb.pruning_curve(%(pruning_id)s) as c;

-- name: size
-- How many a plan keeps at a fraction.
select smartdb.pruning_size(%(pruning_id)s, %(keep)s::double precision);

-- name: excluded
-- What a plan leaves out, what would be kept next first.
select x.media_id, x.rank, x.score, x.reason, x.kept_by, x.uri
from smartdb.pruning_excluded(%(pruning_id)s, %(keep)s::double precision) as x
order by x.rank
limit %(limit)s;
