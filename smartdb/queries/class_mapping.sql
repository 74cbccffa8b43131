-- name: saved
-- What a mapping says of names in files; a class that is no longer in use says nothing.
select m.given, m.class_id
from core.class_mapping as m
join core.ontology as o using (ontology_id)
left join core.class as c on c.class_id = m.class_id and c.version_to is null
where
    m.name = %(mapping)s and o.name = %(ontology)s and m.given = any(%(given)s)
    and (m.class_id is null or c.class_id is not null);

-- name: save
-- Saves how names in files are read; null leaves them out.
insert into core.class_mapping (name, ontology_id, given, class_id)
select %(mapping)s, o.ontology_id, g.given, g.class_id
from core.ontology as o
cross join unnest(%(given)s::text[], %(class_ids)s::bigint[]) as g (given, class_id)
where o.name = %(ontology)s
on conflict on constraint class_mapping_key do update
set class_id = excluded.class_id
where core.class_mapping.class_id is distinct from excluded.class_id;
