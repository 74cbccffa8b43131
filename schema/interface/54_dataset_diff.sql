-- What changed from version a to version b: members, splits, classes.
create function smartdb.dataset_diff(dataset text, version_a integer, version_b integer)
returns table (media_id bigint, change text, split_a text, split_b text, class_a text, class_b text)
language sql stable parallel safe
begin atomic
    with moved as (
        select i.media_id,
            min(i.split) filter (
                where i.version_from <= version_a and (i.version_to is null or i.version_to > version_a)
            ) as split_a,
            min(i.split) filter (
                where i.version_from <= version_b and (i.version_to is null or i.version_to > version_b)
            ) as split_b
        from smartdb.dataset_item as i
        where i.dataset = dataset_diff.dataset
            and (
                (i.version_from > version_a and i.version_from <= version_b)
                or (i.version_to > version_a and i.version_to <= version_b)
            )
        group by i.media_id
    ),
    revision as (
        select
            smartdb.version_revision(dataset, version_a) as a,
            smartdb.version_revision(dataset, version_b) as b
    ),
    touched as (
        select distinct h.media_id from smartdb.label_history as h, revision as r
        where h.kind = 'classification'
            and ((h.rev_from > r.a and h.rev_from <= r.b) or (h.rev_to > r.a and h.rev_to <= r.b))
    ),
    said as (
        select h.media_id, h.class, h.origin, h.rev_from, h.rev_to
        from smartdb.label_history as h
        join touched as t on t.media_id = h.media_id
        where h.kind = 'classification' and h.origin in ('consensus', 'human', 'import')
    ),
    class_a as (
        select distinct on (s.media_id) s.media_id, s.class
        from said as s, revision as r
        where s.rev_from <= r.a and (s.rev_to is null or s.rev_to > r.a)
        order by s.media_id, case s.origin when 'consensus' then 0 when 'human' then 1 else 2 end, s.rev_from desc
    ),
    class_b as (
        select distinct on (s.media_id) s.media_id, s.class
        from said as s, revision as r
        where s.rev_from <= r.b and (s.rev_to is null or s.rev_to > r.b)
        order by s.media_id, case s.origin when 'consensus' then 0 when 'human' then 1 else 2 end, s.rev_from desc
    ),
    relabelled as (
        select t.media_id, a.class as class_a, b.class as class_b
        from touched as t
        join smartdb.dataset_item as i on i.media_id = t.media_id
            and i.dataset = dataset_diff.dataset
            and i.version_from <= version_b and (i.version_to is null or i.version_to > version_b)
        left join class_a as a on a.media_id = t.media_id
        left join class_b as b on b.media_id = t.media_id
        where a.class is distinct from b.class
    )
    select
        media_id,
        case
            when m.split_b is not null and m.split_a is null then 'added'
            when m.split_a is not null and m.split_b is null then 'removed'
            when m.split_a <> m.split_b then 'moved'
            else 'relabelled'
        end,
        m.split_a, m.split_b, r.class_a, r.class_b
    from moved as m full join relabelled as r using (media_id)
    where m.split_a is distinct from m.split_b or r.media_id is not null;
end;
comment on function smartdb.dataset_diff(text, integer, integer) is
    'What changed from version a to the later version b: media added, removed, moved to another split, or relabelled. '
    'Reads only what changed, not the members.';

-- example:
--   select * from smartdb.dataset_diff('pets', 1, 2) order by media_id
-- result:
--   5 | relabelled | None | None | cat | dog
--   8 | removed | train | None | None | None
--   10 | added | None | test | None | None
