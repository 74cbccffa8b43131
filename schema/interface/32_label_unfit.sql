-- Labels that the newest version of their ontology would not take: what migration could not map.
create view smartdb.label_unfit as
select
    o.name as ontology, l.label_id, l.media_id, c.name as class, l.kind, l.attributes,
    core.label_problem(l.class_id, l.kind, l.attributes, l.shape) as problem,
    a.name as actor, l.origin, l.object_id, l.rev_from
from core.label as l
join core.class as c on c.class_id = l.class_id
join core.ontology as o on o.ontology_id = c.ontology_id
join core.actor as a on a.actor_id = l.actor_id
where
    l.rev_to is null
    and case
        when c.version_to is not null or l.kind <> all (c.kinds) then true
        when
            c.is_open and (c.skeleton is null or l.kind <> 'keypoints') and not exists (
                select from core.class_attribute as k where k.class_id = c.class_id and k.version_to is null
            )
            then false
        else (
            l.kind = 'keypoints'
            and jsonb_array_length(l.shape -> 'points') <> jsonb_array_length(c.skeleton -> 'points')
        )
        or exists (
            select from jsonb_each(l.attributes) as e (name, value)
            left join core.class_attribute as k
                on k.class_id = c.class_id and k.name = e.name and k.version_to is null
            where case
                when k.attribute_id is null then not c.is_open
                else core.is_unfit(e.value, k.type, k.choices, k.minimum, k.maximum)
                    or (k.condition is not null and not core.meets(l.attributes, k.condition))
            end
        )
        or exists (
            select from core.class_attribute as k
            where
                k.class_id = c.class_id and k.version_to is null and k.is_required
                and not coalesce(l.attributes, '{}') ? k.name
                and (k.condition is null or core.meets(coalesce(l.attributes, '{}'), k.condition))
        )
    end;

comment on view smartdb.label_unfit is
    'Live labels that the newest version of their ontology would not take, and why: written under an older one, not mapped since.';
comment on column smartdb.label_unfit.ontology is 'Name of the ontology.';
comment on column smartdb.label_unfit.label_id is 'The label.';
comment on column smartdb.label_unfit.media_id is 'The labelled media.';
comment on column smartdb.label_unfit.class is 'Name of its class.';
comment on column smartdb.label_unfit.kind is 'Kind of the label.';
comment on column smartdb.label_unfit.attributes is 'Its attributes.';
comment on column smartdb.label_unfit.problem is 'What the newest version has against it, and what it would allow.';
comment on column smartdb.label_unfit.actor is 'Who said it.';
comment on column smartdb.label_unfit.origin is 'human, import, consensus, model or propagated.';
comment on column smartdb.label_unfit.object_id is 'Identity of the labelled thing across edits.';
comment on column smartdb.label_unfit.rev_from is 'Revision at which it became true.';

-- example:
--   insert into core.ontology_version (ontology_id, version, message)
--   values (1, 2, 'no dogs') returning 1;
--   update core.class set version_to = 2 where class_id = 3 returning 1;
--   select label_id, media_id, problem from smartdb.label_unfit order by label_id limit 2
-- result:
--   6 | 6 | class 'dog' was retired in version 2 of ontology 'animals'; choose another class
--   7 | 7 | class 'dog' was retired in version 2 of ontology 'animals'; choose another class
