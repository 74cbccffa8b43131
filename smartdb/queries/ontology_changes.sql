-- name: present
-- The classes of an ontology in a version (the newest), with what labels of them may be.
select
    a.class as name, a.parent, a.kinds, a.skeleton, a.is_open, a.attributes, a.class_id
from smartdb.ontology_at(%(ontology)s, %(version)s) as a
order by a.class_id;

-- name: note
-- What an ontology is for, and its newest version.
select o.note, o.version from smartdb.ontology as o where o.ontology = %(ontology)s;

-- name: rules
-- The mapping of labels to a version.
select r.class, r.target, r.kind, r.condition, r.renamed, r.revalued, r.given
from smartdb.class_rule as r
where r.ontology = %(ontology)s and r.version = %(version)s
order by r.place;

-- name: create
-- Makes an ontology without a version.
insert into core.ontology (name, note) values (%(ontology)s, %(note)s);

-- name: labelled
-- How many live labels each of these classes has.
select c.name, count(*) as n
from core.label as l
join core.class as c using (class_id)
join core.ontology as o using (ontology_id)
where o.name = %(ontology)s and c.name = any(%(names)s) and c.version_to is null and l.rev_to is null
group by c.name
order by c.name;

-- name: open_version
-- Opens the next version, when no label is being written: who waits is checked by the new one.
insert into core.ontology_version (ontology_id, version, message, revision)
select o.ontology_id, %(version)s, %(message)s, core.checkpoint()
from core.ontology as o where o.name = %(ontology)s;

-- name: retire
-- Ends classes.
update core.class as c set version_to = %(version)s
from core.ontology as o
where
    o.ontology_id = c.ontology_id and o.name = %(ontology)s and c.version_to is null
    and c.name = any(%(names)s);

-- name: add
-- Adds classes whose parents are there; replaces is the class of which they are the new name.
insert into core.class (
    ontology_id, name, parent_class_id, kinds, skeleton, is_open, version_from, replaces_class_id
)
select
    o.ontology_id, n.name, p.class_id, n.kinds, n.skeleton, n.is_open, %(version)s, r.class_id
from core.ontology as o
cross join jsonb_to_recordset(%(forms)s) as n (
    name text, parent text, kinds text[], skeleton jsonb, is_open boolean, replaces text
)
left join core.class as p
    on p.ontology_id = o.ontology_id and p.name = n.parent and p.version_to is null
left join core.class as r
    on r.ontology_id = o.ontology_id and r.name = n.replaces and r.version_to = %(version)s
where o.name = %(ontology)s;

-- name: reform
-- Changes the place, kinds, keypoints and openness of classes that stay.
update core.class as c set
    parent_class_id = w.parent_class_id, kinds = w.kinds, skeleton = w.skeleton, is_open = w.is_open,
    changed_in = %(version)s
from (
    select k.class_id, p.class_id as parent_class_id, n.kinds, n.skeleton, n.is_open
    from core.ontology as o
    cross join jsonb_to_recordset(%(forms)s) as n (
        name text, parent text, kinds text[], skeleton jsonb, is_open boolean
    )
    join core.class as k
        on k.ontology_id = o.ontology_id and k.name = n.name and k.version_to is null
        and k.version_from < %(version)s
    left join core.class as p
        on p.ontology_id = o.ontology_id and p.name = n.parent and p.version_to is null
    where o.name = %(ontology)s
) as w
where
    w.class_id = c.class_id
    and (
        c.parent_class_id is distinct from w.parent_class_id or not (c.kinds <@ w.kinds and w.kinds <@ c.kinds)
        or c.skeleton is distinct from w.skeleton or c.is_open <> w.is_open
    );

-- name: stage_attributes
-- Makes the table of the attributes that the version has.
drop table if exists pg_temp.wanted_attribute;
create temp table wanted_attribute (
    class text, name text, type text, choices text[], minimum double precision,
    maximum double precision, is_required boolean, condition jsonb, note text, place integer,
    replaces text
) on commit drop;

-- name: want_attributes
-- Fills it.
insert into wanted_attribute
select w.* from jsonb_to_recordset(%(attributes)s) as w (
    class text, name text, type text, choices text[], minimum double precision,
    maximum double precision, is_required boolean, condition jsonb, note text, place integer,
    replaces text
);

-- name: retire_attributes
-- Ends attributes that are no longer so, and those of retired classes.
update core.class_attribute as a set version_to = %(version)s
from core.class as c
join core.ontology as o using (ontology_id)
where
    c.class_id = a.class_id and o.name = %(ontology)s and a.version_to is null
    and not exists (
        select from wanted_attribute as w
        where
            c.version_to is null and w.class = c.name and w.name = a.name and w.type = a.type
            and (w.choices, w.minimum, w.maximum, w.condition, w.note)
            is not distinct from (a.choices, a.minimum, a.maximum, a.condition, a.note)
            and w.is_required = a.is_required and w.place = a.place
    );

-- name: add_attributes
-- Adds attributes that are new, or so from now on.
insert into core.class_attribute (
    class_id, name, type, choices, minimum, maximum, is_required, condition, note, place,
    version_from, replaces_attribute_id
)
select
    c.class_id, w.name, w.type, w.choices, w.minimum, w.maximum, w.is_required, w.condition, w.note,
    w.place, %(version)s, old.attribute_id
from wanted_attribute as w
join core.ontology as o on o.name = %(ontology)s
join core.class as c on c.ontology_id = o.ontology_id and c.name = w.class and c.version_to is null
left join core.class_attribute as old
    on old.class_id = coalesce(
        case when c.version_from = %(version)s then c.replaces_class_id end, c.class_id
    )
    and old.name = coalesce(w.replaces, w.name) and old.version_to = %(version)s
where
    not exists (
        select from core.class_attribute as a
        where a.class_id = c.class_id and a.name = w.name and a.version_to is null
    )
order by c.class_id, w.place;

-- name: add_rules
-- Writes down what labels become.
insert into core.class_rule (
    ontology_id, version, place, class_id, kind, condition, target_class_id, renamed, revalued, given
)
select
    o.ontology_id, %(version)s, r.place, c.class_id, r.kind, r.condition, t.class_id, r.renamed,
    r.revalued, r.given
from core.ontology as o
cross join jsonb_to_recordset(%(rules)s) as r (
    place integer, class text, kind text, condition jsonb, target text, renamed jsonb,
    revalued jsonb, given jsonb
)
join core.class as c
    on c.ontology_id = o.ontology_id and c.name = r.class and c.version_from < %(version)s
    and coalesce(c.version_to = %(version)s, true)
left join core.class as t
    on t.ontology_id = o.ontology_id and t.name = r.target and t.version_to is null
where o.name = %(ontology)s
order by r.place;

-- name: diff
-- What changed between two versions.
select d.change, d.class_a, d.class_b, d.attribute, d.was, d.now, d.is_additive
from smartdb.ontology_diff(%(ontology)s, %(version_a)s, %(version_b)s) as d
order by coalesce(d.class_b, d.class_a), d.class_a, d.change, d.attribute;

-- name: versions
-- The versions of ontologies, oldest first.
select v.ontology, v.version, v.message, v.n_classes, v.n_rules, v.created_at
from smartdb.ontology_version as v
where %(ontology)s::text is null or v.ontology = %(ontology)s
order by v.ontology, v.version;
