-- Derivatives: clean copies of media whose findings may not stay. One function writes all there is
-- to write, as the owner, so that the privacy officer needs no right to write labels or media.

create function core.add_derivative(
    parent bigint, digest bytea, mime text, n_bytes bigint, captured_at timestamptz, phash bit(64),
    exif jsonb, attributes jsonb, quality real[], recipe jsonb, uri text, findings bigint[], run bigint
) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    original core.media;
    copy bigint;
    is_new boolean;
begin
    perform pg_advisory_xact_lock_shared(7360406);
    select m.* into strict original from core.media as m where m.media_id = parent;
    perform from core.finding as f where f.media_id = parent order by f.finding_id for update;
    if exists (select from core.forbidden(array[parent]) as f where f.finding_id <> all (findings))
        or exists (
            select from unnest(findings) as g (finding_id)
            left join core.finding as f on f.finding_id = g.finding_id and f.media_id = parent
            where f.resolution is not null or f.finding_id is null
        ) then
        return null; -- another was found or settled meanwhile: the copy was made of what is no longer so
    end if;
    insert into core.media (
        sha256, kind, mime, n_bytes, width, height, captured_at, phash, group_key,
        parent_media_id, recipe, exif, attributes, run_id
    )
    values (
        digest, 'image', add_derivative.mime, add_derivative.n_bytes, original.width, original.height,
        add_derivative.captured_at, add_derivative.phash, original.group_key,
        parent, add_derivative.recipe, add_derivative.exif, add_derivative.attributes, run
    )
    on conflict (sha256) do nothing returning media_id into copy;
    is_new := found;
    if not is_new then -- two originals may have the same clean copy
        select m.media_id into strict copy from core.media as m where m.sha256 = digest;
    end if;
    insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at, is_managed)
    select distinct copy, l.source_id, add_derivative.uri, add_derivative.n_bytes, now(), true
    from core.media_location as l where l.media_id = parent
    on conflict on constraint media_location_pk do update set seen_at = now(), missing_at = null;
    if is_new then
        insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
        select copy, quality[1], quality[2], quality[3], quality[4], quality[5] where quality is not null;
        perform core.copy_labels(parent, copy, findings, run);
    end if;
    -- they stay together in every split; the next grouping keeps that, by core.kin
    insert into core.duplicate (media_id, group_id, run_id)
    select k.media_id, coalesce((select d.group_id from core.duplicate as d where d.media_id = parent), parent), run
    from unnest(array[parent, copy]) as k (media_id)
    on conflict do nothing;
    insert into core.media_subject (media_id, subject_key)
    select copy, s.subject_key from core.media_subject as s where s.media_id = parent
    on conflict do nothing;
    update core.finding as f
    set resolution = 'removed', detail = f.detail || jsonb_build_object('derivative', copy)
    where f.finding_id = any (findings);
    insert into core.restriction (media_id, reason)
    select r.media_id, 'replaced' from unnest(array[
        parent, case when original.kind = 'frame' then original.parent_media_id end
    ]) as r (media_id)
    where r.media_id is not null
    order by 1
    on conflict do nothing;
    return copy;
end
$$;
comment on function core.add_derivative(
    bigint, bytea, text, bigint, timestamptz, bit, jsonb, jsonb, real[], jsonb, text, bigint[], bigint
) is
    'Records a clean copy of a media, settles the findings it is clean of as removed, hides the original for ever, and gives '
    'the copy its subjects and labels (terms it has by its parent). Returns its media_id; null if the findings changed since the copy was made.';

create function core.copy_labels(parent bigint, copy bigint, findings bigint[], run bigint)
returns void language sql
begin atomic
    insert into core.label (
        media_id, class_id, kind, x, y, w, h, shape, attributes, track_id, origin, actor_id,
        confidence, run_id
    )
    select
        copy, l.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes, l.track_id,
        case when exists (
            select from core.finding as f
            where f.finding_id = any (findings) and l.w * l.h > 0
                and greatest(0, least(l.x + l.w, f.region[1] + f.region[3]) - greatest(l.x, f.region[1]))
                * greatest(0, least(l.y + l.h, f.region[2] + f.region[4]) - greatest(l.y, f.region[2]))
                > l.w * l.h / 2
        ) then 'propagated' else l.origin end,
        l.actor_id, l.confidence, run
    from core.label as l
    where l.media_id = parent and l.rev_to is null and l.kind <> 'relation'
    order by l.label_id;
end;
comment on function core.copy_labels(bigint, bigint, bigint[], bigint) is
    'Says of a clean copy what was said of its original, by the same actors, save relations, which are between things of the '
    'original: it has the same geometry. A label of which '
    'more than half was removed is propagated, which is nobody''s word until it is reviewed.';

create function core.kin() returns table (media_id bigint, copy_id bigint)
language sql stable security definer
begin atomic
    select m.parent_media_id, m.media_id
    from core.media as m
    where m.parent_media_id is not null and m.recipe ->> 'step' in ('sanitise', 'augment')
    order by m.media_id;
end;
comment on function core.kin() is
    'Originals with their clean copies and augmentations, hidden ones included, so that what groups near-duplicates keeps them together.';
