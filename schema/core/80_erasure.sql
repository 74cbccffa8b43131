-- Erasing media: the request first, then the rows in batches, then the files; each step may be cut
-- off and done again. What is left is a tombstone: the media's row with its hash, and its labels'
-- rows without content. Only the privacy officer may call these.

create function core.is_blanked(relation name, before jsonb, after jsonb) returns boolean
language plpgsql stable as $$
begin
    if relation = 'label' then
        return after = before || '{"x": null, "y": null, "w": null, "h": null, "shape": null, "attributes": null, "track_id": null, "subject_id": null, "target_id": null}'
            and exists (select from core.tombstone as t where t.media_id = (before ->> 'media_id')::bigint);
    end if;
    if relation in ('media_tag', 'track_end') then
        return after = before || case relation when 'media_tag' then '{"tag": null}' else '{"track_id": null}' end::jsonb
            and exists (select from core.tombstone as t where t.media_id = (before ->> 'media_id')::bigint);
    end if;
    if relation = 'gold' then
        return after = before || '{"reason": null}' and exists (
            select from core.label as l join core.tombstone as t on t.media_id = l.media_id
            where l.label_id = (before ->> 'label_id')::bigint);
    end if;
    return relation = 'review' and after = before || '{"reason": null, "correction": null}' and exists (
        select from core.label as l join core.tombstone as t on t.media_id = l.media_id
        where l.label_id in ((before ->> 'label_id')::bigint, (before ->> 'corrected_label_id')::bigint));
end
$$;
comment on function core.is_blanked(name, jsonb, jsonb) is
    'Whether a row of a versioned table only loses its content, and is about a media that was erased: the one change that '
    'core.close_row lets pass.';

create function core.derived_from(media bigint) returns table (media_id bigint)
language sql stable
begin atomic
    select m.media_id from core.media as m where m.parent_media_id = media
    union
    select d.media_id from core.donor as d where d.donor_id = media;
end;
comment on function core.derived_from(bigint) is 'What was made of a media: frames, copies, augmentations, and what shows objects of it.';

create function core.bury(erasure bigint, media bigint[]) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    n bigint;
begin
    with recursive wanted as (
        select m.media_id from core.media as m where m.media_id = any (media)
        union
        select d.media_id from wanted as w cross join lateral core.derived_from(w.media_id) as d
    ),
    buried as (
        insert into core.tombstone (media_id, erasure_id)
        select w.media_id, erasure from wanted as w
        on conflict (media_id) do nothing returning media_id
    ),
    hidden as (
        insert into core.restriction (media_id, reason) select b.media_id, 'erased' from buried as b
        on conflict (media_id, reason) do nothing
    )
    select count(*) into n from buried;
    return n;
end
$$;
comment on function core.bury(bigint, bigint[]) is
    'Marks media, and all that derives from them, for a request to erase, and hides them at once; how many were not marked before.';

create function core.begin_erasure(reason text, asked text, code_version text, media bigint[]) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    id bigint;
    run bigint;
begin
    insert into core.run (kind, code_version) values ('erase', begin_erasure.code_version) returning run_id into run;
    insert into core.erasure (reason, asked, actor, run_id)
    values (begin_erasure.reason, begin_erasure.asked, session_user, run) returning erasure_id into id;
    perform core.bury(id, media);
    return id;
end
$$;
comment on function core.begin_erasure(text, text, text, bigint[]) is
    'Writes down a request to erase media and all that derives from them. Commit it before anything is deleted.';

create function core.add_to_report(erasure bigint, counts jsonb) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    update core.erasure as e
    set report = e.report || (
        select coalesce(jsonb_object_agg(c.key, coalesce((e.report ->> c.key)::bigint, 0) + c.value::bigint), '{}')
        from jsonb_each_text(counts) as c)
    where e.erasure_id = erasure;
end
$$;
comment on function core.add_to_report(bigint, jsonb) is 'Adds numbers to those of the report of a request.';

create function core.erase_rows(erasure bigint, n integer default 1000) returns integer
language plpgsql security definer set search_path = pg_catalog as $$
declare
    ids constant bigint[] := array(
        select t.media_id from core.tombstone as t join core.media as m on m.media_id = t.media_id
        where t.erasure_id = erasure and m.erased_at is null order by t.media_id limit n);
    labels bigint[];
    encoder bigint;
    n_edges bigint;
    n_vectors bigint := 0;
    n_of_one bigint;
    n_tags bigint;
    counts jsonb;
begin
    if cardinality(ids) = 0 then
        return 0;
    end if;
    perform core.checkpoint(); -- who began to write labels of them has ended; who begins now sees the tombstones
    labels := array(select l.label_id from core.label as l where l.media_id = any (ids));
    update core.label set rev_to = 0 where label_id = any (labels) and rev_to is null;
    update core.label
    set x = null, y = null, w = null, h = null, shape = null, attributes = null, track_id = null,
        subject_id = null, target_id = null
    where label_id = any (labels) and num_nonnulls(x, y, w, h, shape, attributes, track_id, subject_id, target_id) > 0;
    update core.review set reason = null, correction = null
    where num_nonnulls(reason, correction) > 0 and media_id = any (ids);
    update core.comment set text = null where media_id = any (ids) and text is not null;
    update core.gold set rev_to = 0 where label_id = any (labels) and rev_to is null;
    update core.gold set reason = null where label_id = any (labels) and reason is not null;
    update core.media_tag set rev_to = 0 where media_id = any (ids) and rev_to is null;
    update core.media_tag set tag = null where media_id = any (ids) and tag is not null;
    get diagnostics n_tags = row_count;
    update core.track_end set rev_to = 0 where media_id = any (ids) and rev_to is null;
    update core.track_end set track_id = null where media_id = any (ids) and track_id is not null;
    perform core.forget_scores(labels);
    delete from core.neighbour where media_id = any (ids) or neighbour_id = any (ids);
    get diagnostics n_edges = row_count;
    for encoder in select e.encoder_id from core.encoder as e loop -- and what the graph says of them
        execute format('delete from core.embedding_%s where media_id = any ($1)', encoder) using ids;
        get diagnostics n_of_one = row_count;
        n_vectors := n_vectors + n_of_one;
        execute format('delete from core.region_embedding_%s where media_id = any ($1)', encoder) using ids;
        get diagnostics n_of_one = row_count;
        n_vectors := n_vectors + n_of_one;
    end loop;
    with issues as (delete from core.label_issue where media_id = any (ids) returning 1),
    tasks as (
        update core.task as t
        set state = case when state in ('open', 'claimed') then 'skipped' else state end, lease_until = null,
            done_at = coalesce(done_at, now()), prefill = null, reason = null
        where media_id = any (ids) and (state in ('open', 'claimed') or prefill is not null or reason is not null)
        returning 1
    ),
    matches as (delete from core.detection_match where media_id = any (ids)),
    truths as (delete from core.detection_truth where media_id = any (ids)),
    marks as (delete from core.gold_score where media_id = any (ids)),
    answers as (delete from core.submission where media_id = any (ids) returning 1),
    predictions as (delete from core.prediction where media_id = any (ids) returning 1),
    foretold as (delete from core.predicted_label where media_id = any (ids) returning 1),
    dynamics as (delete from core.training_dynamics where media_id = any (ids) returning 1),
    planned as (delete from core.review_plan_item where media_id = any (ids)),
    chosen as (delete from core.batch_item where media_id = any (ids) returning 1),
    prunings as (delete from core.pruning_item where media_id = any (ids) returning 1),
    represented as (update core.pruning_item set kept_by = null where kept_by = any (ids) and media_id <> all (ids)),
    sets as (delete from core.slice_media where media_id = any (ids) returning 1),
    placed as (delete from core.media_graph where media_id = any (ids)),
    variants as (delete from core.augmentation where media_id = any (ids) or parent_id = any (ids) returning 1),
    donors as (delete from core.donor where media_id = any (ids) or donor_id = any (ids) returning 1),
    edits as (delete from core.label_edit where media_id = any (ids)),
    extractions as (delete from core.extraction where media_id = any (ids) returning 1),
    pairs as (delete from core.duplicate_pair where media_id = any (ids) or other_id = any (ids) returning 1),
    duplicates as (delete from core.duplicate where media_id = any (ids) returning 1),
    statistics as (delete from core.quality where media_id = any (ids) returning 1),
    findings as (delete from core.finding where media_id = any (ids) returning 1),
    looked as (delete from core.detector_media where media_id = any (ids) returning 1),
    terms as (delete from core.media_terms where media_id = any (ids) returning 1),
    subjects as (delete from core.media_subject where media_id = any (ids) returning 1),
    sent as (delete from core.exchange_item where media_id = any (ids)),
    known as (delete from core.exchange_object where media_id = any (ids)),
    imported as (delete from core.exchange_answer where media_id = any (ids)),
    disputes as (delete from core.exchange_conflict where media_id = any (ids)),
    refusals as (delete from core.exchange_refusal where media_id = any (ids)),
    texts as (delete from core.media_text where media_id = any (ids)),
    contents as (
        update core.media
        set phash = null, captured_at = null, group_key = null, exif = '{}', attributes = '{}', erased_at = now(),
            recipe = case when recipe is not null then jsonb_build_object('step', recipe -> 'step') end
        where media_id = any (ids)
    )
    select jsonb_build_object(
        'extractions', (select count(*) from extractions),
        'media', cardinality(ids), 'labels', cardinality(labels), 'vectors', n_vectors,
        'tags', n_tags,
        'sets', (select count(*) from sets), 'issues', (select count(*) from issues), 'tasks', (select count(*) from tasks),
        'submissions', (select count(*) from answers),
        'predictions', (select count(*) from predictions), 'batch_items', (select count(*) from chosen),
        'dynamics', (select count(*) from dynamics), 'prunings', (select count(*) from prunings),
        'neighbours', n_edges, 'pairs', (select count(*) from pairs), 'duplicates', (select count(*) from duplicates),
        'quality', (select count(*) from statistics), 'findings', (select count(*) from findings),
        'terms', (select count(*) from terms), 'subjects', (select count(*) from subjects)) into counts;
    perform core.add_to_report(erasure, counts);
    return cardinality(ids);
end
$$;
comment on function core.erase_rows(bigint, integer) is
    'Erases what is known of up to n media of a request, and returns of how many: 0 when all are done. Where their files lie '
    'is kept until core.forget_files.';

create function core.erased_files(erasure bigint, after bigint default 0, n integer default 1000)
returns table (media_id bigint, sha256 bytea, source_id bigint, uri text, is_managed boolean)
language sql stable security definer
begin atomic
    select p.media_id, m.sha256, l.source_id, l.uri, l.is_managed
    from (
        select t.media_id from core.tombstone as t
        where t.erasure_id = erasure and t.media_id > after order by t.media_id limit n
    ) as p
    join core.media as m on m.media_id = p.media_id
    left join core.media_location as l on l.media_id = p.media_id
    order by p.media_id, l.source_id, l.uri;
end;
comment on function core.erased_files(bigint, bigint, integer) is
    'The next media of a request by id, with the places that are still known of their bytes.';

create function core.forget_files(erasure bigint, sources bigint[], uris text[], outcomes text[]) returns void
language plpgsql security definer set search_path = pg_catalog
set enable_hashjoin = off set enable_mergejoin = off as $$ -- each place by its index: a batch is small
begin
    create temp table forgotten_file on commit drop as
    select l.*, f.outcome
    from unnest(sources, uris, outcomes) as f (source_id, uri, outcome)
    join core.media_location as l on l.source_id = f.source_id and l.uri = f.uri
    where (select t.erasure_id from core.tombstone as t where t.media_id = l.media_id) = erasure;
    insert into core.quarantine (source_id, uri, reason, detail, n_bytes, modified_at, run_id)
    select f.source_id, f.uri, 'erased', 'media ' || f.media_id || ' was erased; the file was left', f.n_bytes, f.modified_at, e.run_id
    from pg_temp.forgotten_file as f join core.erasure as e on e.erasure_id = erasure
    where f.outcome = 'left'
    on conflict (source_id, uri) do update
    set reason = excluded.reason, detail = excluded.detail, run_id = excluded.run_id, created_at = now();
    delete from core.media_location as l using pg_temp.forgotten_file as f
    where l.source_id = f.source_id and l.uri = f.uri;
    perform core.add_to_report(erasure, (
        select jsonb_object_agg('files_' || o.outcome, o.n)
        from (select f.outcome, count(*) as n from pg_temp.forgotten_file as f group by f.outcome) as o));
    drop table pg_temp.forgotten_file;
end
$$;
comment on function core.forget_files(bigint, bigint[], text[], text[]) is
    'Forgets places of erased media, each deleted (its bytes are gone) or left (they lie there still: a row of the quarantine '
    'says so).';

create function core.contained(media bigint[]) returns jsonb
language sql stable security definer
begin atomic
    with version as (
        select
            v.dataset_id, v.version, d.name, v.n_items, v.digest, v.sealed_at,
            count(*) as n, count(*) filter (where i.split = 'train') as n_train
        from core.dataset_item as i
        join core.dataset as d on d.dataset_id = i.dataset_id
        join core.dataset_version as v
            on v.dataset_id = i.dataset_id and v.version >= i.version_from
            and (i.version_to is null or v.version < i.version_to)
        where i.media_id = any (media)
        group by v.dataset_id, v.version, d.name, v.n_items, v.digest, v.sealed_at
    )
    select jsonb_build_object(
        'versions', coalesce((
            select jsonb_agg(jsonb_build_object(
                'dataset', v.name, 'version', v.version, 'n_items', v.n_items, 'n_erased', v.n, 'digest', v.digest
            ) order by v.name, v.version) from version as v), '[]'),
        'models', coalesce((
            select jsonb_agg(jsonb_build_object(
                'model', m.name, 'model_id', m.model_id, 'run_id', m.run_id, 'uri', m.uri, 'dataset', v.name,
                'version', v.version, 'n_trained_on', v.n_train
            ) order by m.model_id)
            from core.model as m join version as v on v.dataset_id = m.dataset_id and v.version = m.version), '[]'),
        'exports', coalesce((
            select jsonb_agg(jsonb_build_object(
                'export_id', e.export_id, 'dataset', d.name, 'version', e.version, 'format', e.format, 'uri', e.uri,
                'n_erased', h.n, 'files', to_jsonb(h.paths)
            ) order by e.export_id)
            from core.export_holding(media) as h
            join core.export as e on e.export_id = h.export_id
            join core.dataset as d on d.dataset_id = e.dataset_id), '[]'),
        'parents_left', to_jsonb(array(
            select distinct m.parent_media_id from core.media as m
            where m.media_id = any (media) and m.parent_media_id is not null and m.parent_media_id <> all (media)
            order by 1))
    );
end;
comment on function core.contained(bigint[]) is
    'The dataset versions that hold any of these media, the models made from those, the exports with the files (the first hundred) that hold them, and media from which some derive but which '
    'are not among them.';

create function core.erasure_scope(media bigint[]) returns jsonb
language sql stable security definer
begin atomic
    with recursive wanted as (
        select m.media_id from core.media as m where m.media_id = any (media) and m.erased_at is null
        union
        select d.media_id from wanted as w cross join lateral core.derived_from(w.media_id) as d
    )
    select jsonb_build_object(
        'media', (select count(*) from wanted),
        'derived', (select count(*) from wanted as w where w.media_id <> all (media)),
        'labels', (select count(*) from core.label as l where l.media_id in (select w.media_id from wanted as w)),
        'files', (
            select count(*) from core.media_location as l
            where l.media_id in (select w.media_id from wanted as w) and not l.is_managed),
        'managed_files', (
            select count(*) from core.media_location as l
            where l.media_id in (select w.media_id from wanted as w) and l.is_managed)
    ) || core.contained(array(select w.media_id from wanted as w));
end;
comment on function core.erasure_scope(bigint[]) is 'What a request to erase these media would reach.';

create function core.finish_erasure(erasure bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog as $$
declare
    ids constant bigint[] := array(select t.media_id from core.tombstone as t where t.erasure_id = erasure);
    found jsonb;
begin
    if core.bury(erasure, ids) > 0 -- what was derived meanwhile
        or exists (select from core.media as m where m.media_id = any (ids) and m.erased_at is null)
        or exists (select from core.media_location as l where l.media_id = any (ids)) then
        return null;
    end if;
    update core.erasure as e
    set report = e.report || core.contained(ids) || jsonb_build_object('left', to_jsonb(array(
            select q.uri from core.quarantine as q where q.run_id = e.run_id and q.reason = 'erased' order by q.uri limit 1000))),
        finished_at = now()
    where e.erasure_id = erasure and e.finished_at is null
    returning e.report into found;
    update core.run as r set status = 'succeeded', error = null, finished_at = clock_timestamp(),
        counts = (select coalesce(jsonb_object_agg(c.key, c.value), '{}') from jsonb_each(found) as c where jsonb_typeof(c.value) = 'number')
    where r.run_id = (select e.run_id from core.erasure as e where e.erasure_id = erasure) and r.status <> 'succeeded';
    return found;
end
$$;
comment on function core.finish_erasure(bigint) is
    'Completes the report of a request and says that it is done; null, and nothing done, while rows or files are left, or if more '
    'was derived from its media since.';

create function core.erased_sha256(digests bytea[])
returns table (sha256 bytea, media_id bigint)
language sql stable security definer
begin atomic
    select m.sha256, m.media_id
    from core.media as m join core.tombstone as t on t.media_id = m.media_id
    where m.sha256 = any (digests);
end;
comment on function core.erased_sha256(bytea[]) is 'Which of these contents were erased and must not be taken in again.';
