-- name: state
-- The vectors of an encoder, those of them without all their edges, edges there are, media in the
-- graph without a vector (it is gone, or hidden by now), and k of the graph (0 if there is none).
select
    count(*) as n_vectors,
    count(*) filter (where g.n_neighbours is null) as n_todo,
    coalesce(sum(g.n_neighbours), 0)::bigint as n_edges,
    (select count(*) from core.media_graph as a where a.encoder_id = %(encoder_id)s)
    - count(g.media_id) as n_gone,
    coalesce((select w.k from core.graph as w where w.encoder_id = %(encoder_id)s), 0) as k
from {vectors} as v
left join core.media_graph as g on g.media_id = v.media_id and g.encoder_id = %(encoder_id)s;

-- name: last
-- The run that changed the edges of an encoder last.
select g.run_id from core.graph as g where g.encoder_id = %(encoder_id)s;

-- name: todo
-- Media whose neighbours are to be looked for among all: new, or with an edge that is or must be lost.
select v.media_id
from {vectors} as v
left join core.media_graph as g on g.media_id = v.media_id and g.encoder_id = %(encoder_id)s
where g.n_neighbours is null
union
select n.media_id
from core.media_graph as g
join core.neighbour as n on n.neighbour_id = g.media_id and n.encoder_id = g.encoder_id
join {vectors} as v on v.media_id = n.media_id
where g.encoder_id = %(encoder_id)s
    and not exists (select from {vectors} as w where w.media_id = g.media_id)
order by media_id;

-- name: reach
-- How far the last neighbour is of the media that have k.
select n.media_id, n.distance
from core.neighbour as n
where n.encoder_id = %(encoder_id)s and n.rank = %(k)s
order by n.media_id;

-- name: lock
-- One build of an encoder's edges is written at a time, and no vector goes meanwhile.
select pg_advisory_xact_lock(7360404, %(encoder_id)s::integer);

-- name: drop_gone
-- Takes media whose vectors are gone out of the graph.
with gone as (
    delete from core.media_graph as g
    where g.encoder_id = %(encoder_id)s
        and not exists (select from {vectors} as v where v.media_id = g.media_id)
    returning g.media_id
)
delete from core.neighbour as n
where n.encoder_id = %(encoder_id)s and (
    n.media_id in (select o.media_id from gone as o)
    or n.neighbour_id in (select p.media_id from gone as p)
);

-- name: stage
-- Where the media come that were compared with all, and all pairs that were found.
create temp table compared (media_id bigint) on commit drop;
create temp table found (media_id bigint, neighbour_id bigint, distance real) on commit drop;

-- name: drop_late
-- Forgets what was found of vectors that went while it was computed.
delete from pg_temp.found as f
where not exists (select from {vectors} as a where a.media_id = f.media_id)
    or not exists (select from {vectors} as b where b.media_id = f.neighbour_id);
delete from pg_temp.compared as c
where not exists (select from {vectors} as v where v.media_id = c.media_id);

-- name: index
-- So that the planner knows what was found.
create index on pg_temp.found (media_id, neighbour_id);
analyze pg_temp.found;
create index on pg_temp.compared (media_id);
analyze pg_temp.compared;

-- name: merge
-- Writes the k nearest of what was found and, of media that were not compared anew, of the edges
-- there are; edges that stay as they are are not written.
insert into core.neighbour as n (encoder_id, media_id, rank, neighbour_id, distance)
with edge as (
    select f.media_id, f.neighbour_id, f.distance from pg_temp.found as f
    union all
    select o.media_id, o.neighbour_id, o.distance
    from core.neighbour as o
    where o.encoder_id = %(encoder_id)s
        and o.media_id in (
            select f.media_id from pg_temp.found as f
            except select c.media_id from pg_temp.compared as c
        )
        and not exists (
            select from pg_temp.found as f
            where f.media_id = o.media_id and f.neighbour_id = o.neighbour_id
        )
),
ranked as (
    select
        e.media_id, e.neighbour_id, e.distance,
        row_number() over (partition by e.media_id order by e.distance, e.neighbour_id) as rank
    from edge as e
)
select %(encoder_id)s, r.media_id, r.rank, r.neighbour_id, r.distance
from ranked as r
where r.rank <= %(k)s
order by r.media_id, r.rank
on conflict (media_id, encoder_id, rank) do update
set neighbour_id = excluded.neighbour_id, distance = excluded.distance
where n.neighbour_id <> excluded.neighbour_id or n.distance <> excluded.distance;

-- name: trim
-- Takes away what media that were compared anew had beyond what was found now.
delete from core.neighbour as n
using pg_temp.compared as c
where n.encoder_id = %(encoder_id)s and n.media_id = c.media_id
    and n.rank > (select count(*) from pg_temp.found as f where f.media_id = c.media_id);

-- name: tell
-- Writes what the edges say of each media whose edges may have changed. Who has fewer than there
-- are to be had is looked at again in the next build.
insert into core.media_graph as g
    (encoder_id, media_id, n_neighbours, distance, isolation, run_id)
select
    %(encoder_id)s, m.media_id,
    case when count(n.rank) >= least(%(k)s, %(n_vectors)s - 1) then count(n.rank) end,
    avg(n.distance), sum(n.distance * w.weight) / sum(w.weight), %(run_id)s
from (
    select c.media_id from pg_temp.compared as c union select f.media_id from pg_temp.found as f
) as m
left join core.neighbour as n on n.media_id = m.media_id and n.encoder_id = %(encoder_id)s
left join (values (1, 0.6), (2, 0.3), (3, 0.1)) as w (rank, weight) on w.rank = n.rank
group by m.media_id
order by m.media_id
on conflict (media_id, encoder_id) do update
set n_neighbours = excluded.n_neighbours, distance = excluded.distance,
    isolation = excluded.isolation, run_id = excluded.run_id;

-- name: tell_whole
-- Writes what is known of the graph as a whole.
insert into core.graph as g (encoder_id, k, largest_isolation, run_id)
select %(encoder_id)s, %(k)s, max(m.isolation), %(run_id)s
from core.media_graph as m
where m.encoder_id = %(encoder_id)s
on conflict (encoder_id) do update
set k = excluded.k, largest_isolation = excluded.largest_isolation, run_id = excluded.run_id;

-- name: analyse
-- Tells the planner how many rows there are by now.
select core.analyse('core.neighbour'), core.analyse('core.media_graph');

-- name: edges
-- The edges of an encoder whose ends have hashes that differ in few bits, -1 where neither has a
-- hash (pictures of one colour).
select n.media_id, n.neighbour_id, n.distance, d.bits
from core.neighbour as n
join core.media as a on a.media_id = n.media_id
join core.media as b on b.media_id = n.neighbour_id
cross join lateral (
    select coalesce(
        (a.phash <~> b.phash)::integer,
        case when a.phash is null and b.phash is null then -1 else 64 end
    )
) as d (bits)
where n.encoder_id = %(encoder_id)s and d.bits <= %(max_bits)s
order by n.media_id, n.rank;

-- name: last_distances
-- How far the last neighbour of each media is.
select n.media_id, max(n.distance) as distance
from core.neighbour as n
where n.encoder_id = %(encoder_id)s
group by n.media_id
order by n.media_id;

-- name: last_grouping
-- The last complete grouping of near-duplicates, by whatever encoder.
select r.run_id, r.parameters, r.counts
from core.run as r
where r.kind = 'duplicates' and r.status = 'succeeded'
order by r.run_id desc
limit 1;

-- name: kin
-- Originals and their clean copies.
select k.media_id, k.copy_id from core.kin() as k

-- name: lock_groups
-- One grouping is written at a time.
select pg_advisory_xact_lock(7360404, 0);

-- name: clear_groups
-- Takes away the groups.
delete from core.duplicate;

-- name: add_groups
-- Adds the groups of the staging table.
insert into core.duplicate (media_id, group_id, run_id)
select n.media_id, n.group_id, %(run_id)s
from pg_temp.duplicate_new as n
order by n.media_id;
