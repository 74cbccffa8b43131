-- Where a media comes from and everything that was made of it, in order.
create function smartdb.lineage(media bigint)
returns table (step text, what text, detail text, at timestamptz, run_id bigint)
language sql stable parallel safe
begin atomic
    with recursive ancestor as (
        select m.media_id, m.parent_media_id, m.recipe, m.created_at, m.run_id
        from smartdb.media as m where m.media_id = media and m.parent_media_id is not null
        union all
        select m.media_id, m.parent_media_id, m.recipe, m.created_at, m.run_id
        from ancestor as a join smartdb.media as m on m.media_id = a.parent_media_id
        where m.parent_media_id is not null
    ),
    descendant as (
        select m.media_id, m.recipe, m.created_at, m.run_id
        from smartdb.media as m where m.parent_media_id = media
        union all
        select m.media_id, m.recipe, m.created_at, m.run_id
        from descendant as d join smartdb.media as m on m.parent_media_id = d.media_id
    )
    select 'source', l.source, l.uri, l.seen_at, m.run_id
    from smartdb.media as m
    join smartdb.media_location as l
        on l.media_id = case m.kind when 'frame' then m.parent_media_id else m.media_id end
    where m.media_id = media
    union all
    select 'added', r.kind || ' run ' || r.run_id, 'smartdb ' || r.code_version, m.created_at, r.run_id
    from smartdb.media as m join smartdb.run as r on r.run_id = m.run_id where m.media_id = media
    union all
    select
        'terms', coalesce(t.licence, 'licence unknown'),
        concat_ws(', ', 'for ' || nullif(array_to_string(t.allowed_use, ', '), ''), 'until ' || t.expires_at::date, t.reason),
        m.created_at, m.run_id
    from smartdb.media_terms as t join smartdb.media as m on m.media_id = t.media_id where t.media_id = media
    union all
    select 'parent', 'media ' || a.parent_media_id, coalesce(a.recipe::text, 'recipe unknown'), a.created_at, a.run_id
    from ancestor as a
    union all
    select 'child', 'media ' || d.media_id, coalesce(d.recipe::text, 'recipe unknown'), d.created_at, d.run_id
    from descendant as d
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
    select 'batch', 'batch ' || b.batch_id || ' (' || b.strategy || ')', b.reason, b.created_at, b.run_id
    from smartdb.batch_item as b where b.media_id = media
    union all
    select
        'erased', 'request ' || t.erasure_id, case when t.finished_at is null then 'not finished' else 'finished' end,
        t.asked_at, t.run_id
    from smartdb.tombstone as t where t.media_id = media
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
    'Where a media comes from (sources, terms, run, what it derives from and how), what was said about it, what derives from it, '
    'which batches, dataset versions, models and predictions it went into, and when it was erased, in order of time.';

-- example:
--   select step, what, detail from smartdb.lineage(5)
-- result:
--   dataset | pets version 1 | test
--   prediction | dog | confidence 0.800
--   dataset | pets version 2 | test
--   prediction | dog | confidence 0.900
--   added | ingest run 1 | smartdb 0.1.0
--   label | cat | import folder names (replaced)
--   label | dog | human ana
--   review | corrected | ana: long ears
--   source | toys | file:///toys/cat/5-copy.png
--   source | toys | file:///toys/cat/5.png
--   terms | CC0-1.0 | for training, source toys
