-- name: stage
-- Makes the table of the labels that are looked at, with what they become.
drop table if exists pg_temp.label_migration;
create temp table label_migration (
    label_id bigint primary key, object_id bigint, media_id bigint, kind text, actor_id bigint,
    rev_from bigint, was_class_id bigint, was_attributes jsonb, class_id bigint, attributes jsonb,
    shape jsonb, problem text, is_double boolean default false, is_closed boolean default false
) on commit drop;

-- name: find
-- Live labels written before a version whose rules are about their class.
insert into label_migration (
    label_id, object_id, media_id, kind, actor_id, rev_from, was_class_id, was_attributes, class_id,
    attributes, shape
)
select
    l.label_id, l.object_id, l.media_id, l.kind, l.actor_id, l.rev_from, l.class_id, l.attributes,
    l.class_id, l.attributes, case when l.kind = 'keypoints' then l.shape end
from core.label as l
join (
    select r.class_id, max(v.revision) as revision
    from core.class_rule as r
    join core.ontology_version as v using (ontology_id, version)
    join core.ontology as o using (ontology_id)
    where o.name = %(ontology)s
    group by r.class_id
) as changed on changed.class_id = l.class_id and changed.revision > l.rev_from
where l.rev_to is null;

-- name: analyze
-- Tells the planner how many.
analyze label_migration;

-- name: versions
-- The versions with rules, oldest first.
select v.version from smartdb.ontology_version as v
where v.ontology = %(ontology)s and v.n_rules > 0
order by v.version;

-- name: apply
-- Does to each label what the first rule of a version that fits it says.
update label_migration as m set
    class_id = coalesce(f.target_class_id, m.class_id),
    attributes = core.migrated_attributes(m.attributes, f.renamed, f.revalued, f.given)
from (
    select distinct on (s.label_id)
        s.label_id, r.target_class_id, r.renamed, r.revalued, r.given
    from label_migration as s
    join core.class_rule as r on r.class_id = s.class_id
    join core.ontology_version as v
        on v.ontology_id = r.ontology_id and v.version = r.version and v.revision > s.rev_from
    join core.ontology as o on o.ontology_id = r.ontology_id
    where
        o.name = %(ontology)s and r.version = %(version)s
        and coalesce(r.kind = s.kind, true) and core.meets(s.attributes, r.condition)
    order by s.label_id, r.place
) as f
where f.label_id = m.label_id;

-- name: judge
-- Notes of each what the newest version has against it; the same said twice is judged once.
update label_migration as m set problem = j.problem
from (
    select
        d.class_id, d.kind, d.attributes, d.shape,
        core.label_problem(d.class_id, d.kind, d.attributes, d.shape) as problem
    from (
        select distinct s.class_id, s.kind, s.attributes, s.shape from label_migration as s
    ) as d
) as j
where
    j.problem is not null and j.class_id = m.class_id and j.kind = m.kind
    and coalesce(j.attributes, 'null') = coalesce(m.attributes, 'null')
    and coalesce(j.shape, 'null') = coalesce(m.shape, 'null');

-- name: leave
-- Leaves out those that are as they should be.
delete from label_migration as m
where
    m.problem is null and m.class_id = m.was_class_id
    and m.attributes is not distinct from m.was_attributes;

-- name: match
-- Classes of a media that would be said twice by one actor: the same twice is said once, and what
-- differs in its attributes stays as it is.
update label_migration as m set
    is_double = not t.differs,
    problem = case
        when t.differs then format(
            'media %s is said to be %L by the same actor already, with other attributes (label %s)',
            m.media_id, c.name, t.first_label_id)
    end
from (
    select
        s.label_id,
        first_value(s.label_id) over one as first_label_id,
        s.attributes is distinct from first_value(s.attributes) over one as differs,
        row_number() over one as place
    from (
        select g.label_id, g.media_id, g.actor_id, g.class_id, g.attributes, 2 as turn
        from label_migration as g where g.kind = 'classification' and g.problem is null
        union all
        select l.label_id, l.media_id, l.actor_id, l.class_id, l.attributes, 1
        from label_migration as g
        join core.label as l
            on l.media_id = g.media_id and l.actor_id = g.actor_id and l.class_id = g.class_id
            and l.kind = 'classification' and l.rev_to is null
        left join label_migration as own on own.label_id = l.label_id and own.problem is null
        where g.kind = 'classification' and g.problem is null and own.label_id is null
    ) as s
    window one as (partition by s.media_id, s.actor_id, s.class_id order by s.turn, s.label_id)
) as t
cross join core.class as c
where t.label_id = m.label_id and t.place > 1 and c.class_id = m.class_id;

-- name: close
-- Closes what the labels were; one that somebody else closed meanwhile is theirs.
with gone as (
    update core.label as l set rev_to = 0
    from label_migration as m
    where m.label_id = l.label_id and m.problem is null and l.rev_to is null
    returning l.label_id
)

update label_migration as m set is_closed = true from gone where gone.label_id = m.label_id;

-- name: open
-- Writes what they are: the same object by the same actor, in this run.
insert into core.label (
    object_id, media_id, class_id, kind, x, y, w, h, shape, attributes, track_id, origin, actor_id,
    confidence, task_id, run_id
)
select
    l.object_id, l.media_id, m.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, m.attributes,
    l.track_id, l.origin, l.actor_id, l.confidence, l.task_id, %(run_id)s
from label_migration as m
join core.label as l using (label_id)
where m.is_closed and not m.is_double
order by l.label_id;

-- name: move_tasks
-- Lets unanswered tasks ask about what the label is now.
update core.task as t set label_id = n.label_id
from label_migration as m
join core.label as n on n.object_id = m.object_id and n.rev_to is null
where
    m.is_closed and not m.is_double and t.label_id = m.label_id and t.state in ('open', 'claimed');

-- name: move_issues
-- Lets open suspicions be about what the label is now.
update core.label_issue as i set label_id = n.label_id
from label_migration as m
join core.label as n on n.object_id = m.object_id and n.rev_to is null
where m.is_closed and not m.is_double and i.label_id = m.label_id and i.state = 'open';

-- name: open_tasks
-- A review task for each label of the ontology that fits no rule and so is not as it should be.
insert into core.task (kind, media_id, label_id)
select 'review', u.media_id, u.label_id from smartdb.label_unfit as u
where u.ontology = %(ontology)s
order by u.label_id
on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot)
where state in ('open', 'claimed') do nothing;

-- name: moved
-- How many labels of each class became what.
select
    w.name as was, c.name as became, count(*) filter (where not m.is_double) as n,
    count(*) filter (where m.is_double) as n_double
from label_migration as m
join core.class as w on w.class_id = m.was_class_id
join core.class as c on c.class_id = m.class_id
where m.problem is null
group by w.name, c.name
order by w.name, c.name;

-- name: problems
-- What could not be mapped of the labels that were looked at.
select c.name as class, m.problem, count(*) as n, min(m.label_id) as label_id
from label_migration as m
join core.class as c on c.class_id = m.was_class_id
where m.problem is not null
group by c.name, m.problem
order by n desc, c.name, m.problem;

-- name: unfit
-- Labels of the ontology that its newest version would not take.
select u.label_id, u.media_id, u.class, u.problem
from smartdb.label_unfit as u
where u.ontology = %(ontology)s
order by u.label_id
limit %(n)s;
