-- What changed in the labels of the members that two versions share.
create function smartdb.dataset_label_diff(dataset text, version_a integer, version_b integer)
returns table (
    media_id bigint, object_id bigint, change text, kind text,
    class_a text, class_b text, label_id_a bigint, label_id_b bigint, actor_a text, actor_b text
)
language sql stable parallel safe
begin atomic
    with revision as (
        select
            smartdb.version_revision(dataset, version_a) as a,
            smartdb.version_revision(dataset, version_b) as b
    ),
    gone as (
        select h.* from smartdb.label_history as h, revision as r
        where h.rev_to > r.a and h.rev_to <= r.b and h.rev_from <= r.a and h.origin <> 'model'
    ),
    come as (
        select h.* from smartdb.label_history as h, revision as r
        where h.rev_from > r.a and h.rev_from <= r.b and (h.rev_to is null or h.rev_to > r.b) and h.origin <> 'model'
    ),
    changed as (
        select
            coalesce(come.media_id, gone.media_id) as media_id, object_id,
            case
                when gone.label_id is null then 'added'
                when come.label_id is null then 'removed'
                when (gone.class_id is distinct from come.class_id) then 'relabelled'
                when gone.kind <> come.kind or (gone.shape is distinct from come.shape)
                    or (array[gone.x, gone.y, gone.w, gone.h] is distinct from array[come.x, come.y, come.w, come.h])
                    then 'geometry'
                when (gone.attributes is distinct from come.attributes) or (gone.track_id is distinct from come.track_id)
                    then 'attributes'
                when gone.origin <> come.origin or gone.actor_id <> come.actor_id
                    or (gone.confidence is distinct from come.confidence)
                    then 'said again'
            end as change,
            coalesce(come.kind, gone.kind) as kind, gone.class as class_a, come.class as class_b,
            gone.label_id as label_id_a, come.label_id as label_id_b, gone.actor as actor_a, come.actor as actor_b
        from gone full join come using (object_id)
    )
    select
        c.media_id, c.object_id, c.change, c.kind, c.class_a, c.class_b, c.label_id_a, c.label_id_b, c.actor_a, c.actor_b
    from changed as c
    where c.change is not null
        and exists (
            select from smartdb.dataset_item as i
            where i.media_id = c.media_id and i.dataset = dataset_label_diff.dataset
                and i.version_from <= version_a and (i.version_to is null or i.version_to > version_a)
        )
        and exists (
            select from smartdb.dataset_item as i
            where i.media_id = c.media_id and i.dataset = dataset_label_diff.dataset
                and i.version_from <= version_b and (i.version_to is null or i.version_to > version_b)
        );
end;
comment on function smartdb.dataset_label_diff(text, integer, integer) is
    'What changed in the labels of the media that are in version a and in the later version b: added, removed, relabelled (another '
    'class), geometry (the box or shape), attributes, or said again (the same, by another actor or with another confidence); an object that changed in '
    'several ways is told by the first of these. Labels of media that came or went are told by dataset_diff. What models said does not count. Reads only what changed.';

-- example:
--   select media_id, change, kind, class_a, class_b, actor_b from
--   smartdb.dataset_label_diff('pets', 1, 2)
-- result:
--   5 | relabelled | classification | cat | dog | ana
