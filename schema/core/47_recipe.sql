-- Managing: recipes of augmentation, and the media that were made by them. A variant of a picture is
-- hidden and erased with it, and with each media of which something was pasted into it.

create table core.recipe (
    recipe_id bigint generated always as identity,
    name text not null,
    pipeline jsonb not null,
    seed bigint not null default 0,
    note text not null default '',
    created_at timestamptz not null default now(),
    constraint recipe_pk primary key (recipe_id),
    constraint recipe_name_key unique (name),
    constraint recipe_name_check check (name <> ''),
    constraint recipe_pipeline_check check (jsonb_typeof(pipeline) = 'array' and pipeline <> '[]')
);
call core.make_permanent('core.recipe', 'recipe_id');
comment on table core.recipe is 'How pictures are varied for training: steps of torchvision.transforms.v2, and CopyPaste. Never changed.';
comment on column core.recipe.recipe_id is 'Identity of the recipe.';
comment on column core.recipe.name is 'Unique name.';
comment on column core.recipe.pipeline is 'The steps in order: [{"transform": "RandomRotation", "arguments": {"degrees": 10}}, ...].';
comment on column core.recipe.seed is 'Where chance begins, unless another seed is given.';
comment on column core.recipe.note is 'What it is for.';
comment on column core.recipe.created_at is 'When it was written.';

create table core.augmentation (
    recipe_id bigint not null,
    parent_id bigint not null,
    seed bigint not null,
    number integer not null,
    media_id bigint not null,
    revision bigint not null default nextval('core.revision'),
    run_id bigint not null,
    constraint augmentation_pk primary key (recipe_id, parent_id, seed, number),
    constraint augmentation_number_check check (number >= 1)
);
create index augmentation_media_idx on core.augmentation (media_id);
create index augmentation_parent_idx on core.augmentation (parent_id);
call core.refer('core.augmentation', '{
    {recipe_id, core.recipe, recipe_id},
    {parent_id, core.media, media_id},
    {media_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
call core.protect('core.augmentation');
comment on table core.augmentation is 'What was made by which recipe of which media, so that it is not made again.';
comment on column core.augmentation.recipe_id is 'The recipe.';
comment on column core.augmentation.parent_id is 'The media it was made of.';
comment on column core.augmentation.seed is 'The seed of the recipe or of the call.';
comment on column core.augmentation.number is 'Which variant, from 1.';
comment on column core.augmentation.media_id is 'The media that was made; one that was there before if the bytes are the same.';
comment on column core.augmentation.revision is 'When its labels were taken over: later changes of the parent''s are not in them.';
comment on column core.augmentation.run_id is 'The run that made it.';

create table core.donor (
    media_id bigint not null,
    donor_id bigint not null,
    constraint donor_pk primary key (media_id, donor_id)
);
create index donor_donor_idx on core.donor (donor_id);
call core.refer('core.donor', '{{media_id, core.media, media_id}, {donor_id, core.media, media_id}}');
call core.protect('core.donor');
comment on table core.donor is 'Media of which objects were pasted into another.';
comment on column core.donor.media_id is 'The media that shows them now.';
comment on column core.donor.donor_id is 'The media they were cut out of.';

create function core.original(media bigint) returns bigint
language sql stable security definer
begin atomic
    with recursive ancestor as (
        select m.media_id, m.parent_media_id, m.recipe ->> 'step' as step
        from core.media as m where m.media_id = media
        union all
        select m.media_id, m.parent_media_id, m.recipe ->> 'step'
        from ancestor as a join core.media as m on m.media_id = a.parent_media_id
        where a.step = 'augment'
    )
    select a.media_id from ancestor as a where a.step is distinct from 'augment';
end;
comment on function core.original(bigint) is 'The media of which this is an augmentation, over any number of steps; else itself.';

create function core.made_of(media bigint[]) returns table (media_id bigint)
language sql stable security definer
begin atomic
    select m.media_id from core.media as m
    where m.parent_media_id = any (media) and m.recipe ->> 'step' = 'augment'
    union
    select d.media_id from core.donor as d where d.donor_id = any (media);
end;
comment on function core.made_of(bigint[]) is 'The augmentations that show something of these media.';

create function core.hide_made() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if exists (select from core.made_of(array(select c.media_id from changed as c))) then
        insert into core.restriction (media_id, reason)
        select m.media_id, 'parent' from core.made_of(array(select c.media_id from changed as c)) as m
        order by 1
        on conflict do nothing;
    end if;
    return null;
end
$$;
comment on function core.hide_made() is 'Statement trigger of restrictions: hides the augmentations of what is hidden, and theirs.';

create function core.show_made() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if exists (select from core.made_of(array(select c.media_id from changed as c))) then
        delete from core.restriction as r
        where
            r.reason = 'parent'
            and r.media_id in (select m.media_id from core.made_of(array(select c.media_id from changed as c)) as m)
            and not exists (
                select from core.restriction as p
                where p.media_id in (
                    select m.parent_media_id from core.media as m where m.media_id = r.media_id
                    union all select d.donor_id from core.donor as d where d.media_id = r.media_id
                )
            );
    end if;
    return null;
end
$$;
comment on function core.show_made() is
    'Statement trigger of restrictions: shows augmentations again of which nothing is hidden any more, and theirs.';

create trigger hide_made after insert on core.restriction referencing new table as changed
for each statement execute function core.hide_made();
create trigger show_made after delete on core.restriction referencing old table as changed
for each statement execute function core.show_made();

create function core.add_augmentation(
    recipe bigint, parent bigint, seed bigint, number integer, digest bytea, mime text, n_bytes bigint, width integer,
    height integer, phash bit(64), quality real[], how jsonb, uri text, labels jsonb, read_labels bigint[], donors bigint[],
    run bigint
) returns text
language plpgsql security definer set search_path = pg_catalog as $$
declare
    original core.media;
    made bigint;
    is_new boolean;
begin
    -- whoever hides one of these waits until this is written, or this until they are done
    perform from core.media as m where m.media_id = any (parent || donors) order by m.media_id for update;
    if exists (select from core.restriction as r where r.media_id = any (parent || donors))
        or array(
            select l.label_id from core.label as l
            where l.media_id = any (parent || donors) and l.rev_to is null and l.origin <> 'model' order by l.label_id
        ) <> read_labels then
        return 'changed';
    end if;
    select m.* into strict original from core.media as m where m.media_id = parent;
    insert into core.media (
        sha256, kind, mime, n_bytes, width, height, captured_at, phash, group_key, parent_media_id, recipe, run_id
    )
    values (
        digest, 'image', add_augmentation.mime, add_augmentation.n_bytes, add_augmentation.width, add_augmentation.height,
        original.captured_at, add_augmentation.phash, original.group_key, parent, how, run
    )
    on conflict (sha256) do nothing returning media_id into made;
    is_new := found;
    if not is_new then
        select m.media_id into strict made from core.media as m where m.sha256 = digest;
        if exists (select from core.tombstone as t where t.media_id = made) then
            return 'erased';
        end if;
    end if;
    if is_new then
        insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at, is_managed)
        select distinct made, l.source_id, add_augmentation.uri, add_augmentation.n_bytes, now(), true
        from core.media_location as l
        where l.media_id in (parent, case when original.kind = 'frame' then original.parent_media_id end)
        on conflict on constraint media_location_pk do update set seen_at = now(), missing_at = null;
        insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
        select made, quality[1], quality[2], quality[3], quality[4], quality[5] where quality is not null;
        insert into core.label (
            media_id, class_id, kind, x, y, w, h, shape, attributes, track_id, origin, actor_id, confidence, run_id
        )
        select
            made, l.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes, null, 'propagated', l.actor_id,
            l.confidence, run
        from jsonb_to_recordset(labels) as l (
            class_id bigint, kind text, x double precision, y double precision, w double precision, h double precision,
            shape jsonb, attributes jsonb, actor_id bigint, confidence real
        )
        on conflict do nothing;
        insert into core.media_subject (media_id, subject_key)
        select distinct made, s.subject_key from core.media_subject as s where s.media_id = any (parent || donors);
        insert into core.donor (media_id, donor_id)
        select distinct made, d.donor_id from unnest(donors) as d (donor_id) where d.donor_id not in (parent, made);
    end if;
    insert into core.augmentation (recipe_id, parent_id, seed, number, media_id, run_id)
    values (recipe, parent, seed, number, made, run)
    on conflict do nothing;
    return case when is_new then 'added' else 'same' end;
end
$$;
comment on function core.add_augmentation(
    bigint, bigint, bigint, integer, bytea, text, bigint, integer, integer, bit, real[], jsonb, text, jsonb, bigint[], bigint[],
    bigint
) is
    'Records a variant of a media with its labels (propagated), in the sources of its parent and with its group: added, same '
    '(those bytes are a media already), changed (hidden or labelled otherwise since it was made) or erased (must not come again).';
