-- What changed in the classes between two versions.
create function smartdb.dataset_class_diff(dataset text, version_a integer, version_b integer)
returns table (change text, class_a text, class_b text, class_id bigint, ontology_version integer)
language sql stable parallel safe
begin atomic
    with at as (
        select
            v.ontology,
            min(v.ontology_version) filter (where v.version = version_a) as a,
            min(v.ontology_version) filter (where v.version = version_b) as b
        from smartdb.dataset_version as v
        where v.dataset = dataset_class_diff.dataset and v.version in (version_a, version_b)
        group by v.ontology
    ),
    retired as (
        select c.class_id, c.class, c.version_to as changed
        from smartdb.ontology_class as c join at on at.ontology = c.ontology
        where c.version_from <= at.a and c.version_to > at.a and c.version_to <= at.b
    ),
    added as (
        select c.class_id, c.class, c.version_from as changed, c.replaces_class_id
        from smartdb.ontology_class as c join at on at.ontology = c.ontology
        where c.version_from > at.a and c.version_from <= at.b and (c.version_to is null or c.version_to > at.b)
    )
    select
        case when r.class_id is null then 'added' when n.class_id is null then 'retired' else 'renamed' end,
        r.class, n.class, coalesce(n.class_id, r.class_id), coalesce(n.changed, r.changed)
    from retired as r full join added as n on n.replaces_class_id = r.class_id;
end;
comment on function smartdb.dataset_class_diff(text, integer, integer) is
    'What changed in the ontology of a dataset from version a to the later version b: classes added, retired, or renamed (retired and '
    'replaced by another name). Labels keep the class they were given: see dataset_label_diff for those that were given the new one.';

-- example:
--   select * from smartdb.dataset_class_diff('pets', 1, 2)
-- result:
