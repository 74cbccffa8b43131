-- What each class is like in each version of its ontology: its place, kinds and keypoints.
create view smartdb.class_form as
select
    o.name as ontology, c.name as class, f.version_from, f.version_to, p.name as parent, f.kinds,
    f.skeleton, f.is_open, c.class_id, f.parent_class_id
from (
    select
        w.class_id, w.version_from, w.version_to, w.parent_class_id, w.kinds, w.skeleton, w.is_open
    from core.former_class as w
    union all
    select
        n.class_id, coalesce(n.changed_in, n.version_from), n.version_to, n.parent_class_id, n.kinds,
        n.skeleton, n.is_open
    from core.class as n
) as f
join core.class as c on c.class_id = f.class_id
join core.ontology as o on o.ontology_id = c.ontology_id
left join core.class as p on p.class_id = f.parent_class_id
where f.version_to is null or f.version_to > f.version_from;

comment on view smartdb.class_form is
    'What each class is like: so in version v if version_from <= v and (version_to is null or version_to > v).';
comment on column smartdb.class_form.ontology is 'Name of the ontology.';
comment on column smartdb.class_form.class is 'Name of the class.';
comment on column smartdb.class_form.version_from is 'First version in which it is so.';
comment on column smartdb.class_form.version_to is 'First version in which it no longer is; null: it is so now.';
comment on column smartdb.class_form.parent is 'Name of the class above it.';
comment on column smartdb.class_form.kinds is 'Kinds of label it may be used in.';
comment on column smartdb.class_form.skeleton is 'Its keypoints: {"points": [name, ...], "edges": [[name, name], ...]}.';
comment on column smartdb.class_form.is_open is 'Whether labels may carry attributes that it does not declare.';
comment on column smartdb.class_form.class_id is 'Identity of the class.';
comment on column smartdb.class_form.parent_class_id is 'Identity of the class above it.';

-- example:
--   select class, version_from, version_to, parent, kinds[1] as first_kind from smartdb.class_form
--   where ontology = 'animals' order by class, version_from
-- result:
--   cat | 1 | None | pet | classification
--   dog | 1 | None | pet | classification
--   pet | 1 | None | None | classification
