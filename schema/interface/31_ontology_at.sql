-- The classes of an ontology as a version has them, whole.
create function smartdb.ontology_at(ontology text, version integer default null)
returns table (
    class text, parent text, kinds text[], skeleton jsonb, is_open boolean, attributes jsonb,
    class_id bigint
)
language sql stable
begin atomic
    with at as (
        select max(v.version) as version from smartdb.ontology_version as v
        where v.ontology = ontology_at.ontology and (ontology_at.version is null or v.version = ontology_at.version)
    ),
    attribute as (
        select
            a.class_id,
            jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'attribute', a.attribute, 'type', a.type, 'choices', to_jsonb(a.choices), 'min', a.minimum,
                'max', a.maximum, 'required', case when a.is_required then true end, 'when', a.condition,
                'note', a.note)) order by a.place, a.attribute) as attributes
        from smartdb.class_attribute as a join at on a.version_from <= at.version
        where a.ontology = ontology_at.ontology and (a.version_to is null or a.version_to > at.version)
        group by a.class_id
    )
    select f.class, f.parent, f.kinds, f.skeleton, f.is_open, coalesce(a.attributes, '[]'), f.class_id
    from smartdb.class_form as f
    join at on f.version_from <= at.version
    left join attribute as a on a.class_id = f.class_id
    where f.ontology = ontology_at.ontology and (f.version_to is null or f.version_to > at.version);
end;
comment on function smartdb.ontology_at(text, integer) is
    'The classes of an ontology in a version (the newest), with what labels of them may be and carry; attributes is a list as in '
    'its file. No row for an unknown ontology or version.';

-- example:
--   select class, parent, kinds, attributes from smartdb.ontology_at('garden', 1) order by class
-- result:
--   flower | plant | ['classification', 'box'] | [{'type': 'choice', 'choices': ['red', 'white'], 'required': True, 'attribute': 'colour'}]
--   plant | None | ['classification', 'box'] | []
--   weed | plant | ['classification', 'box'] | []
