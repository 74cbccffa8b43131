-- What changed between two revisions: labels added, removed, or changed (same object, other state).
create function smartdb.label_diff(revision_a bigint, revision_b bigint)
returns table (
    object_id bigint, media_id bigint, change text,
    label_id_a bigint, class_a text, label_id_b bigint, class_b text, actor_b text
)
language sql stable parallel safe
begin atomic
    with gone as (
        select h.object_id, h.media_id, h.label_id, h.class from smartdb.label_history as h
        where h.rev_to > revision_a and h.rev_to <= revision_b and h.rev_from <= revision_a
    ),
    come as (
        select h.object_id, h.media_id, h.label_id, h.class, h.actor from smartdb.label_history as h
        where h.rev_from > revision_a and h.rev_from <= revision_b
            and (h.rev_to is null or h.rev_to > revision_b)
    )
    select
        object_id, coalesce(come.media_id, gone.media_id),
        case when gone.label_id is null then 'added' when come.label_id is null then 'removed' else 'changed' end,
        gone.label_id, gone.class, come.label_id, come.class, come.actor
    from gone full join come using (object_id);
end;
comment on function smartdb.label_diff(bigint, bigint) is
    'What changed in the labels after revision a, up to revision b: added, removed or changed, with the class before and after.';

-- example:
--   select d.media_id, d.change, d.class_a, d.class_b, d.actor_b from smartdb.label_diff((select
--   revision from smartdb.dataset_version where version = 1), (select revision from
--   smartdb.dataset_version where version = 2)) as d
-- result:
--   5 | changed | cat | dog | ana
