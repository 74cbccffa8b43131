-- The class that each media counted as at a revision, by the rule of media_class.
create function smartdb.media_class_at(revision bigint)
returns table (media_id bigint, class text, class_id bigint, label_id bigint, origin text, actor text)
language sql stable parallel safe
begin atomic
    select distinct on (l.media_id) l.media_id, l.class, l.class_id, l.label_id, l.origin, l.actor
    from smartdb.label_at(revision) as l
    where l.kind = 'classification' and l.origin in ('consensus', 'human', 'import')
    order by
        l.media_id,
        case l.origin when 'consensus' then 0 when 'human' then 1 else 2 end,
        l.rev_from desc;
end;
comment on function smartdb.media_class_at(bigint) is
    'The class that each media counted as at a revision: consensus before human before import, the latest of several.';

-- example:
--   select c.class, c.actor from smartdb.dataset_version as v,
--   smartdb.media_class_at(v.revision) as c where v.version = 1 and c.media_id = 5
-- result:
--   cat | folder names
