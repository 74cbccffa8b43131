-- name: stage
-- Makes the tables of the labels that are looked at, and of what they say: each thing once.
drop table if exists pg_temp.label_migration, pg_temp.label_meaning, pg_temp.label_closed;
create temp table label_migration (
    label_id bigint, object_id bigint, media_id bigint, actor_id bigint, meaning bigint,
    problem text, is_double boolean not null default false
) on commit drop;
create temp table label_meaning (
    meaning bigint, kind text, written integer, shape jsonb, was_class_id bigint,
    was_attributes jsonb, class_id bigint, attributes jsonb, problem text
) on commit drop;
create temp table label_closed (label_id bigint) on commit drop;

-- name: find
-- Live labels written before a version whose rules are about their class.
with changed as (
    select r.class_id, max(v.revision) as revision
    from core.class_rule as r
    join core.ontology_version as v using (ontology_id, version)
    join core.ontology as o using (ontology_id)
    where o.name = %(ontology)s
    group by r.class_id
),

epoch as (
    select v.version, v.revision, lead(v.revision) over (order by v.version) as before
    from smartdb.ontology_version as v where v.ontology = %(ontology)s
),

found as (
    select
        l.label_id, l.object_id, l.media_id, l.actor_id, l.class_id, l.kind, l.attributes,
        coalesce(e.version, 1) as written, case when l.kind = 'keypoints' then l.shape end as shape
    from core.label as l
    join changed on changed.class_id = l.class_id and changed.revision > l.rev_from
    left join epoch as e
        on e.revision <= l.rev_from and (e.before is null or e.before > l.rev_from)
    where l.rev_to is null
),

numbered as materialized (
    select
        f.*,
        dense_rank() over (order by f.class_id, f.kind, f.written, f.attributes, f.shape) as meaning
    from found as f
),

meant as (
    insert into label_meaning (
        meaning, kind, written, shape, was_class_id, was_attributes, class_id, attributes
    )
    select distinct on (n.meaning)
        n.meaning, n.kind, n.written, n.shape, n.class_id, n.attributes, n.class_id, n.attributes
    from numbered as n
    order by n.meaning
)

insert into label_migration (label_id, object_id, media_id, actor_id, meaning)
select n.label_id, n.object_id, n.media_id, n.actor_id, n.meaning from numbered as n;

-- name: analyze
-- Tells the planner how many.
analyze label_migration, label_meaning;

-- name: versions
-- The versions with rules, oldest first.
select v.version from smartdb.ontology_version as v
where v.ontology = %(ontology)s and v.n_rules > 0
order by v.version;

-- name: apply
-- Does to what labels say what the first rule of a version that fits it says.
update label_meaning as m set
    class_id = coalesce(f.target_class_id, m.class_id),
    attributes = core.migrated_attributes(m.attributes, f.renamed, f.revalued, f.given)
from (
    select distinct on (s.meaning) s.meaning, r.target_class_id, r.renamed, r.revalued, r.given
    from label_meaning as s
    join core.class_rule as r on r.class_id = s.class_id and r.version = %(version)s
    join core.ontology as o on o.ontology_id = r.ontology_id
    where
        o.name = %(ontology)s and s.written < %(version)s
        and coalesce(r.kind = s.kind, true) and core.meets(s.attributes, r.condition)
    order by s.meaning, r.place
) as f
where f.meaning = m.meaning;

-- name: judge
-- Notes what the newest version has against it.
update label_meaning as m
set problem = core.label_problem(m.class_id, m.kind, m.attributes, m.shape);

-- name: leave
-- Leaves out what is as it should be.
delete from label_meaning as m
where
    m.problem is null and m.class_id = m.was_class_id
    and m.attributes is not distinct from m.was_attributes;

-- name: match
-- Classes of a media that would be said twice by one actor: the same twice is said once, and what
-- differs in its attributes stays as it is.
with moving as (
    select l.label_id, l.media_id, l.actor_id, m.class_id, m.attributes
    from label_migration as l
    join label_meaning as m using (meaning)
    where m.kind = 'classification' and m.problem is null
),

said as (
    select g.label_id, g.media_id, g.actor_id, g.class_id, g.attributes, 2 as turn
    from moving as g
    union all
    select l.label_id, l.media_id, l.actor_id, l.class_id, l.attributes, 1
    from moving as g
    join core.label as l
        on l.media_id = g.media_id and l.actor_id = g.actor_id and l.class_id = g.class_id
        and l.kind = 'classification' and l.rev_to is null
    where not exists (select from moving as own where own.label_id = l.label_id)
),

compared as (
    select
        s.label_id, s.class_id, s.attributes,
        first_value(s.attributes) over (
            partition by s.media_id, s.actor_id, s.class_id order by s.turn, s.label_id
        ) as first_attributes,
        row_number() over (
            partition by s.media_id, s.actor_id, s.class_id order by s.turn, s.label_id
        ) as place
    from said as s
)

update label_migration as m set
    is_double = t.attributes is not distinct from t.first_attributes,
    problem = case
        when t.attributes is distinct from t.first_attributes then format(
            'its actor says %L of its media already, with other attributes', c.name)
    end
from compared as t
join core.class as c using (class_id)
where t.label_id = m.label_id and t.place > 1;

-- name: close
-- Closes what the labels were; one that somebody else closed meanwhile is theirs.
with gone as (
    update core.label as l set rev_to = 0
    from label_migration as m
    join label_meaning as n using (meaning)
    where
        m.label_id = l.label_id and m.problem is null and n.problem is null and l.rev_to is null
    returning l.label_id
)

insert into label_closed (label_id) select gone.label_id from gone;

-- name: open
-- Writes what they are: the same object by the same actor, in this run.
insert into core.label (
    object_id, media_id, class_id, kind, x, y, w, h, shape, attributes, track_id, subject_id,
    target_id, origin, actor_id, confidence, task_id, run_id
)
select
    l.object_id, l.media_id, n.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, n.attributes,
    l.track_id, l.subject_id, l.target_id, l.origin, l.actor_id, l.confidence, l.task_id, %(run_id)s
from label_closed as g
join label_migration as m using (label_id)
join label_meaning as n using (meaning)
join core.label as l using (label_id)
where not m.is_double
order by l.label_id;

-- name: follow
-- Makes the table of closed rows with the row that each label is now.
drop table if exists pg_temp.label_moved;
create temp table label_moved on commit drop as
select w.label_id, n.label_id as new_label_id
from label_closed as g
join core.label as w using (label_id)
join core.label as n on n.object_id = w.object_id and n.rev_to is null;
alter table label_moved add primary key (label_id);
analyze label_moved;

-- name: move_tasks
-- Lets unanswered tasks ask about what the label is now.
update core.task as t set label_id = m.new_label_id
from label_moved as m
where t.label_id = m.label_id and t.state in ('open', 'claimed');

-- name: move_issues
-- Lets open suspicions be about what the label is now.
update core.label_issue as i set label_id = m.new_label_id
from label_moved as m
where i.label_id = m.label_id and i.state = 'open';

-- name: move_gold
-- What was known to be true is so by its new name.
with gone as (
    update core.gold as g set rev_to = 0
    from label_moved as m
    where g.label_id = m.label_id and g.rev_to is null
    returning g.label_id, g.actor_id, g.reason, g.created_at
)

insert into core.gold (label_id, actor_id, reason, created_at)
select m.new_label_id, g.actor_id, g.reason, g.created_at
from gone as g
join label_moved as m using (label_id)
order by m.label_id;

-- name: encoders
-- Who has vectors of regions.
select c.encoder_id from core.region_crop as c order by c.encoder_id;

-- name: move_vectors
-- Gives the vector of a region, which is where it was, to what its label is now.
insert into {vectors} (label_id, media_id, v)
select m.new_label_id, r.media_id, r.v
from {vectors} as r
join label_moved as m using (label_id);

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
join label_meaning as n using (meaning)
join core.class as w on w.class_id = n.was_class_id
join core.class as c on c.class_id = n.class_id
where m.problem is null and n.problem is null
group by w.name, c.name
order by w.name, c.name;

-- name: problems
-- What could not be mapped of the labels that were looked at.
select
    c.name as class, coalesce(m.problem, n.problem) as problem, count(*) as n,
    min(m.label_id) as label_id
from label_migration as m
join label_meaning as n using (meaning)
join core.class as c on c.class_id = n.was_class_id
where coalesce(m.problem, n.problem) is not null
group by 1, 2
order by n desc, 1, 2;

-- name: unfit
-- Labels of the ontology that its newest version would not take.
select u.label_id, u.media_id, u.class, u.problem
from smartdb.label_unfit as u
where u.ontology = %(ontology)s
order by u.label_id
limit %(n)s;
