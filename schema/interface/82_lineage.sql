-- Where a media comes from and everything that was made of it, in order.
create function smartdb.lineage(media bigint)
returns table (step text, what text, detail text, at timestamptz, run_id bigint)
language sql stable parallel safe
begin atomic
    select 'source', l.source, l.uri, l.seen_at, m.run_id
    from smartdb.media_location as l join smartdb.media as m on m.media_id = l.media_id
    where l.media_id = media
    union all
    select 'parent', 'media ' || m.parent_media_id, m.kind, m.created_at, m.run_id
    from smartdb.media as m where m.media_id = media and m.parent_media_id is not null
    union all
    select 'label', h.class, h.origin || ' ' || h.actor || case when h.rev_to is null then '' else ' (replaced)' end,
        h.created_at, h.run_id
    from smartdb.label_history as h where h.media_id = media
    union all
    select 'review', r.verdict, concat_ws(': ', r.reviewer, r.reason), r.created_at, null
    from smartdb.review as r where r.media_id = media
    union all
    select 'dataset', v.dataset || ' version ' || v.version, i.split, v.sealed_at, v.run_id
    from smartdb.dataset_item as i
    join smartdb.dataset_version as v on v.dataset_id = i.dataset_id
        and i.version_from <= v.version and (i.version_to is null or i.version_to > v.version)
    where i.media_id = media
    union all
    select 'model', t.model, 'trained on ' || t.dataset || ' version ' || t.version, t.finished_at, t.run_id
    from smartdb.dataset_item as i
    join smartdb.training_run as t on t.dataset = i.dataset
        and i.version_from <= t.version and (i.version_to is null or i.version_to > t.version)
    where i.media_id = media and i.split = 'train' and t.model is not null
    union all
    select 'prediction', p.predicted_class, 'confidence ' || round(p.confidence::numeric, 3), r.finished_at, p.run_id
    from smartdb.prediction as p join smartdb.run as r on r.run_id = p.run_id
    where p.media_id = media
    order by 4 nulls last, 1, 2, 3;
end;
comment on function smartdb.lineage(bigint) is
    'Where a media comes from, what was said about it, and which dataset versions, models and predictions it went into, in order of time.';

-- example:
--   select step, what, detail from smartdb.lineage(5)
-- result:
--   dataset | pets version 1 | test
--   prediction | dog | confidence 0.800
--   dataset | pets version 2 | test
--   prediction | dog | confidence 0.900
--   label | cat | import folder names (replaced)
--   label | dog | human ana
--   review | corrected | ana: long ears
--   source | toys | file:///toys/cat/5-copy.png
--   source | toys | file:///toys/cat/5.png
