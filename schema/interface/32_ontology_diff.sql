-- What changed between two versions of an ontology.
create function smartdb.ontology_diff(ontology text, version_a integer, version_b integer)
returns table (
    change text, class_a text, class_b text, attribute text, was jsonb, now jsonb, is_additive boolean
)
language sql stable
begin atomic
    with recursive step as ( -- one rename, merge or split
        select distinct r.class_id, r.target_class_id as to_id from smartdb.class_rule as r
        where r.ontology = ontology_diff.ontology and r.target_class_id <> r.class_id and r.version <= version_b
        union
        select c.replaces_class_id, c.class_id from smartdb.ontology_class as c
        where c.ontology = ontology_diff.ontology and c.replaces_class_id is not null and c.version_from <= version_b
    ),
    reach (class_id, to_id) as (
        select a.class_id, a.class_id from smartdb.ontology_at(ontology, version_a) as a
        union
        select r.class_id, s.to_id
        from reach as r join step as s on s.class_id = r.to_id
        where r.to_id not in (select b.class_id from smartdb.ontology_at(ontology, version_b) as b)
    ),
    renamed (class_id, to_id) as (
        select a.class_id, a.class_id from smartdb.ontology_at(ontology, version_a) as a
        union
        select r.class_id, c.class_id
        from renamed as r join smartdb.ontology_class as c on c.replaces_class_id = r.to_id
        where c.version_from <= version_b
    ),
    pair as (
        select
            a.class_id as a_id, b.class_id as b_id, a.class as class_a, b.class as class_b, a.parent as parent_a,
            b.parent as parent_b, a.kinds as kinds_a, b.kinds as kinds_b, a.skeleton as skeleton_a,
            b.skeleton as skeleton_b, a.is_open as open_a, b.is_open as open_b,
            a.class_id = b.class_id or exists (
                select from renamed as n where n.class_id = a.class_id and n.to_id = b.class_id
            ) as is_same,
            count(b.class_id) over (partition by a.class_id) as n_to
        from smartdb.ontology_at(ontology, version_a) as a
        left join reach as r
            on r.class_id = a.class_id
            and r.to_id in (select b.class_id from smartdb.ontology_at(ontology, version_b) as b)
        full join smartdb.ontology_at(ontology, version_b) as b on b.class_id = r.to_id
    ),
    same as (select p.* from pair as p where p.is_same),
    origin (attribute_id, was_id) as ( -- of attributes, back through changes and renames
        select a.attribute_id, a.attribute_id from smartdb.class_attribute as a
        where a.ontology = ontology_diff.ontology and a.version_from <= version_b
            and (a.version_to is null or a.version_to > version_b)
        union
        select o.attribute_id, a.replaces_attribute_id
        from origin as o join smartdb.class_attribute as a on a.attribute_id = o.was_id
        where a.replaces_attribute_id is not null
    ),
    attribute_a as (
        select s.b_id, s.class_a, s.class_b, a.*
        from same as s join smartdb.class_attribute as a on a.class_id = s.a_id
        where a.version_from <= version_a and (a.version_to is null or a.version_to > version_a)
    ),
    attribute_b as (
        select s.class_a, s.class_b, a.*
        from same as s join smartdb.class_attribute as a on a.class_id = s.b_id
        where a.version_from <= version_b and (a.version_to is null or a.version_to > version_b)
    ),
    attribute_pair as (
        select a as was, b as now
        from attribute_a as a
        left join origin as o
            on o.was_id = a.attribute_id
            and exists (select from attribute_b as t where t.attribute_id = o.attribute_id and t.class_id = a.b_id)
        full join attribute_b as b on b.attribute_id = o.attribute_id
    )
    select
        case
            when p.a_id is null then 'class added'
            when p.b_id is null then 'class retired'
            when p.is_same then 'class renamed'
            when p.n_to > 1 then 'class split'
            else 'class merged'
        end, p.class_a, p.class_b, null::text, null::jsonb, null::jsonb, p.a_id is null
    from pair as p
    where p.a_id is distinct from p.b_id
    union all
    select 'parent', s.class_a, s.class_b, null, to_jsonb(s.parent_a), to_jsonb(s.parent_b), true
    from same as s
    where s.parent_a is distinct from s.parent_b and not exists (
        select from same as u where u.class_a = s.parent_a and u.class_b = s.parent_b
    )
    union all
    select 'kinds', s.class_a, s.class_b, null, to_jsonb(s.kinds_a), to_jsonb(s.kinds_b), s.kinds_a <@ s.kinds_b
    from same as s where not (s.kinds_a <@ s.kinds_b and s.kinds_a @> s.kinds_b)
    union all
    select 'skeleton', s.class_a, s.class_b, null, s.skeleton_a, s.skeleton_b, s.skeleton_b is null
        or jsonb_array_length(s.skeleton_a -> 'points') is not distinct from jsonb_array_length(s.skeleton_b -> 'points')
    from same as s where s.skeleton_a is distinct from s.skeleton_b
    union all
    select 'open', s.class_a, s.class_b, null, to_jsonb(s.open_a), to_jsonb(s.open_b), s.open_b
    from same as s where s.open_a <> s.open_b
    union all
    select
        case
            when (d.was).attribute_id is null then 'attribute added'
            when (d.now).attribute_id is null then 'attribute retired'
            when (d.was).attribute <> (d.now).attribute then 'attribute renamed'
            else 'attribute changed'
        end,
        coalesce((d.was).class_a, (d.now).class_a), coalesce((d.now).class_b, (d.was).class_b),
        coalesce((d.now).attribute, (d.was).attribute), w.said, n.said,
        case
            when (d.was).attribute_id is null then not (d.now).is_required
            when (d.now).attribute_id is null then false
            else (d.was).attribute = (d.now).attribute and (d.was).type = (d.now).type
                and ((d.was).choices <@ (d.now).choices) is not false
                and ((d.now).minimum is null or (d.now).minimum <= (d.was).minimum) is true
                and ((d.now).maximum is null or (d.now).maximum >= (d.was).maximum) is true
                and (not (d.now).is_required or (d.was).is_required)
                and ((d.now).condition is null or (d.now).condition is not distinct from (d.was).condition)
        end
    from attribute_pair as d
    cross join lateral (
        select case when (d.was).attribute_id is not null then jsonb_strip_nulls(jsonb_build_object(
            'attribute', (d.was).attribute, 'type', (d.was).type, 'choices', to_jsonb((d.was).choices),
            'min', (d.was).minimum, 'max', (d.was).maximum, 'required', (d.was).is_required, 'when', (d.was).condition,
            'note', (d.was).note)) end as said
    ) as w
    cross join lateral (
        select case when (d.now).attribute_id is not null then jsonb_strip_nulls(jsonb_build_object(
            'attribute', (d.now).attribute, 'type', (d.now).type, 'choices', to_jsonb((d.now).choices),
            'min', (d.now).minimum, 'max', (d.now).maximum, 'required', (d.now).is_required, 'when', (d.now).condition,
            'note', (d.now).note)) end as said
    ) as n
    where w.said is distinct from n.said;
end;
comment on function smartdb.ontology_diff(text, integer, integer) is
    'What changed in an ontology from version a to the later version b: classes added, retired, renamed, merged or split (a row for each '
    'class it became), and parent, kinds, skeleton, openness and attributes of those that are in both. is_additive: labels '
    'that fitted still do.';

-- example:
--   select change, class_a, class_b, attribute, is_additive from smartdb.ontology_diff('garden', 1, 3)
--   order by change, class_a, class_b, attribute
-- result:
--   attribute added | flower | blossom | shade | True
--   class merged | weed | plant | None | False
--   class renamed | flower | blossom | None | False
--   kinds | flower | blossom | None | True
