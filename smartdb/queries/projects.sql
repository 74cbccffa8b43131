-- name: create
-- Makes a project that asks for the classes of an ontology.
insert into core.project (
    name, ontology_id, instructions, kinds, overlap, gold_share, predicate, fill_by, depth, per_day
)
select
    %(name)s, o.ontology_id, %(instructions)s, %(kinds)s::text[], %(overlap)s, %(gold_share)s,
    %(predicate)s, %(fill_by)s, %(depth)s, %(per_day)s
from core.ontology as o
where o.name = %(ontology)s
returning project_id;

-- name: change
-- Changes what a project asks from now on.
update core.project
set
    instructions = %(instructions)s, overlap = %(overlap)s, gold_share = %(gold_share)s,
    predicate = %(predicate)s, fill_by = %(fill_by)s, depth = %(depth)s, per_day = %(per_day)s
where project_id = %(project_id)s;

-- name: close
-- Closes a project, or opens it again.
update core.project
set closed_at = case when %(is_closed)s then coalesce(closed_at, clock_timestamp()) end
where project_id = %(project_id)s;

-- name: list
-- All projects.
select
    p.project_id, p.project, p.ontology, p.instructions, p.kinds, p.overlap, p.gold_share,
    p.predicate, p.fill_by, p.depth, p.per_day, p.created_at, p.closed_at
from smartdb.project as p
order by p.project;

-- name: progress
-- How far projects are.
select
    p.project, p.n_media, p.n_media_done, p.n_tasks, p.n_waiting, p.n_leased, p.n_done, p.n_skipped,
    p.share_done, p.n_done_last_day, p.mean_seconds, p.hours_left
from smartdb.project_progress as p
where %(project)s::text is null or p.project = %(project)s
order by p.project;

-- name: throughput
-- What each person did in projects.
select
    t.project, t.actor, t.n_done, t.n_skipped, t.n_leased, t.median_seconds, t.per_hour,
    t.last_done_at
from smartdb.project_throughput as t
where %(project)s::text is null or t.project = %(project)s
order by t.project, t.n_done desc, t.actor;
