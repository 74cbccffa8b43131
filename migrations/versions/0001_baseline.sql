-- What schema/core was at the first release. Until then written by: make baseline

-- Revisions: one sequence stamps every row that can change, and a checkpoint is a mark in it that
-- never moves. Rows are never updated in place: a change closes one row and opens the next.

create sequence core.revision as bigint;
comment on sequence core.revision is
    'Stamps every versioned row; a larger number is a later change. Never cached, so order is true.';

create function core.hold_revision() returns trigger
language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(7360401);
    return null;
end
$$;
comment on function core.hold_revision() is
    'Statement trigger of versioned tables: a checkpoint waits until this transaction has ended.';

create function core.close_row() returns trigger
language plpgsql as $$
begin
    if new.rev_to is not distinct from old.rev_to and pg_has_role(current_user, 'smartdb_owner', 'usage') then
        if core.is_blanked(tg_table_name, to_jsonb(old), to_jsonb(new)) then
            return new;
        end if;
    end if;
    if old.rev_to is not null then
        raise exception '% row was closed at revision % and cannot change', tg_table_name, old.rev_to
            using errcode = 'SD003', hint = 'history is kept: write a new row instead';
    end if;
    old.rev_to := nextval('core.revision');
    return old;
end
$$;
comment on function core.close_row() is
    'Row trigger of versioned tables: the only update there is sets rev_to, once, to the next '
    'revision, whatever the statement said. But what is said of an erased media may be blanked.';

create function core.keep_row() returns trigger
language plpgsql as $$
begin
    raise exception '%.% keeps its history: rows cannot be deleted', tg_table_schema, tg_table_name
        using errcode = 'SD003', hint = 'close the row instead: update ... set rev_to = 0';
end
$$;
comment on function core.keep_row() is 'Statement trigger that refuses delete and truncate.';

create procedure core.make_versioned(relation regclass)
language plpgsql as $$
begin
    execute format(
        'create trigger hold_revision before insert or update on %s
         for each statement execute function core.hold_revision()', relation);
    execute format(
        'create trigger close_row before update on %s
         for each row execute function core.close_row()', relation);
    execute format(
        'create trigger keep_row before delete or truncate on %s
         for each statement execute function core.keep_row()', relation);
end
$$;
comment on procedure core.make_versioned(regclass) is
    'Puts the three triggers of a versioned table (columns rev_from, rev_to) on a new table.';

create function core.checkpoint() returns bigint
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(7360401);
    return nextval('core.revision');
end
$$;
comment on function core.checkpoint() is
    'Waits until no writer of a versioned table is in flight and returns a revision that never '
    'moves afterwards: rows live at it are rev_from <= r and (rev_to is null or rev_to > r). '
    'Call it in a short transaction of its own: writers wait until that ends.';

-- References of the tables that take many rows at once. A foreign key asks once a row, and locks the
-- row it found; this asks once a statement, over all its rows. It is as safe because what is
-- referred to is permanent: never deleted, its key never changed. See docs/decisions.

create function core.keep_permanent() returns trigger
language plpgsql as $$
begin
    raise exception 'rows of %.% are permanent: other rows refer to them', tg_table_schema, tg_table_name
        using errcode = 'SD003', hint = 'hide a media by a row in core.restriction; retire a class in a new version';
end
$$;
comment on function core.keep_permanent() is
    'Statement trigger of tables that others refer to: refuses delete, truncate and a new key.';

create procedure core.make_permanent(relation regclass, key name)
language plpgsql as $$
begin
    execute format(
        'create trigger keep_permanent before delete or truncate on %s
         for each statement execute function core.keep_permanent()', relation);
    execute format(
        'create trigger keep_key before update of %I on %s
         for each statement execute function core.keep_permanent()', key, relation);
end
$$;
comment on procedure core.make_permanent(regclass, name) is
    'Makes a new table one that others may refer to by core.refer: no row and no key of it ever goes.';

create function core.refuse_reference(relation regclass, key name, target regclass, missing bigint)
returns void language plpgsql as $$
begin
    raise exception '% refers to % %, which % does not have', relation, key, missing, target
        using errcode = '23503', hint = 'make that row first';
end
$$;
comment on function core.refuse_reference(regclass, name, regclass, bigint) is
    'Raises 23503, the error of a foreign key, with the value that is missing.';

create procedure core.make_checker(name text, reference text[][])
language plpgsql as $outer$
declare
    r text[];
    few text := '';
    many text := '';
begin
    foreach r slice 1 in array reference loop
        if not exists (
            select from pg_trigger as t
            where t.tgrelid = r[2]::regclass and t.tgname in ('keep_permanent', 'keep_row')
        ) then
            raise exception '% is not permanent', r[2]
                using errcode = 'SD002', hint = 'call core.make_permanent first';
        end if;
        few := few || format($sql$
        select c.%1$I into missing from changed as c
        where c.%1$I is not null and not exists (select from %2$s as t where t.%3$I = c.%1$I)
        limit 1;
        if found then
            perform core.refuse_reference(tg_relid, %1$L, %2$L, missing);
        end if;$sql$, r[1], r[2]::regclass, r[3]);
        many := many || format($sql$
        execute 'select c.%1$I from changed as c left join %2$s as t on t.%3$I = c.%1$I
            where c.%1$I is not null and t.%3$I is null limit 1' into missing;
        if missing is not null then
            perform core.refuse_reference(tg_relid, %1$L, %2$L, missing);
        end if;$sql$, r[1], r[2]::regclass, r[3]);
    end loop;
    execute format($sql$
create function core.%I() returns trigger
language plpgsql security definer set search_path = pg_catalog
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
set enable_material = off as $body$ -- else it may hold the whole target against each row
declare
    missing bigint;
begin
    if not exists (select from changed offset 1000) then -- one plan, kept: look each up in the index%s
    else -- planned for the number of rows at hand
        perform set_config(g.name, 'on', true)
        from unnest('{enable_mergejoin,enable_seqscan}'::text[]) as g (name);%s -- by the index, in order: 3x a hash of the target
    end if;
    return null;
end
$body$ $sql$, name, few, many);
    execute format('comment on function core.%I() is %L', name,
        'Statement trigger made by core.make_checker: what the changed rows refer to exists.');
end
$outer$;
comment on procedure core.make_checker(text, text[][]) is
    'Makes the trigger function that looks up references, each {column, permanent table, its key}, '
    'once a statement, hidden rows included: by the index for few rows, by a join for many.';

create procedure core.attach_checker(relation regclass, name text)
language plpgsql as $$
declare
    event text;
begin
    foreach event in array array['insert', 'update'] loop
        continue when event = 'update' and exists (
            select from pg_trigger as t where t.tgrelid = relation and t.tgname in ('close_row', 'keep_facts')
        ); -- an update cannot change there what a row refers to
        execute format(
            'create trigger refers_on_%1$s after %1$s on %2$s referencing new table as changed
             for each statement execute function core.%3$I()', event, relation, name);
    end loop;
end
$$;
comment on procedure core.attach_checker(regclass, text) is
    'Has a function of core.make_checker check the rows of a new table.';

create procedure core.refer(relation regclass, reference text[][])
language plpgsql as $$
declare
    name constant text := (select c.relname || '_refers' from pg_class as c where c.oid = relation);
begin
    call core.make_checker(name, reference);
    call core.attach_checker(relation, name);
end
$$;
comment on procedure core.refer(regclass, text[][]) is
    'Checks the references of a new table, each {column, permanent table, its key}, once a statement.';

-- Statistics right after a bulk write: autovacuum comes a minute later, and until then the planner
-- takes a million new rows for a few.

create function core.analyse(relation regclass) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if (select c.relnamespace from pg_class as c where c.oid = relation) <> 'core'::regnamespace then
        raise exception '% is no table of core', relation
            using errcode = 'SD002', hint = 'run analyze yourself';
    end if;
    execute format('analyze %s', relation);
end
$$;
comment on function core.analyse(regclass) is
    'Brings the planner''s statistics of a table of core up to date; for pipelines, after a bulk write.';

-- Who and what writes: actors (people, models, importers) and runs (every job that derives rows).

create table core.actor (
    actor_id bigint generated always as identity,
    name text not null,
    kind text not null,
    created_at timestamptz not null default now(),
    constraint actor_pk primary key (actor_id),
    constraint actor_name_key unique (name),
    constraint actor_name_check check (name <> ''),
    constraint actor_kind_check check (kind in ('person', 'model', 'import'))
);
call core.make_permanent('core.actor', 'actor_id');
comment on table core.actor is 'A person, a model or an importer that writes labels and reviews.';
comment on column core.actor.actor_id is 'Identity of the actor.';
comment on column core.actor.name is 'Unique name, as shown to people.';
comment on column core.actor.kind is 'person, model or import (labels that came with the files).';
comment on column core.actor.created_at is 'When the actor was first seen.';

create table core.run (
    run_id bigint generated always as identity,
    kind text not null,
    status text not null default 'running',
    code_version text not null,
    parameters jsonb not null default '{}',
    seed bigint,
    counts jsonb not null default '{}',
    error text,
    dagster_run_id text,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    constraint run_pk primary key (run_id),
    constraint run_kind_check check (kind <> ''),
    constraint run_status_check check (status in ('running', 'succeeded', 'failed')),
    constraint run_finished_check check ((status = 'running') = (finished_at is null))
);
create index run_kind_idx on core.run (kind, run_id);
call core.make_permanent('core.run', 'run_id');
comment on table core.run is
    'Every job that derives rows: what ran, with which code, parameters and seed, and how it ended.';
comment on column core.run.run_id is 'Identity of the run; a larger number started later.';
comment on column core.run.kind is 'What it did: ingest, embed, neighbours, label_issues, train, ...';
comment on column core.run.status is
    'running, succeeded or failed. A run whose process was killed stays running until '
    'smartdb doctor or the next run of its kind marks it failed.';
comment on column core.run.code_version is 'Version of smartdb that ran.';
comment on column core.run.parameters is 'Arguments of the job.';
comment on column core.run.seed is 'Random seed, where the job uses one.';
comment on column core.run.counts is 'What it did in numbers, for instance {"added": 10, "refused": 1}.';
comment on column core.run.error is 'Message of the failure.';
comment on column core.run.dagster_run_id is 'Id of the Dagster run that called it, if one did.';
comment on column core.run.started_at is 'When it started.';
comment on column core.run.finished_at is 'When it ended; null while it runs.';

-- Sourcing: media by content, where their bytes lie, and every file that was refused.

create table core.source (
    source_id bigint generated always as identity,
    name text not null,
    uri text not null,
    licence text,
    consent_basis text,
    allowed_use text[],
    jurisdiction text,
    expires_at timestamptz,
    strip_metadata text[] not null default '{}',
    forbidden_finding text[] not null default '{}',
    created_at timestamptz not null default now(),
    constraint source_pk primary key (source_id),
    constraint source_name_key unique (name),
    constraint source_name_check check (name <> ''),
    constraint source_uri_check check (uri <> ''),
    constraint source_consent_check check (consent_basis in (
        'not_needed', 'consent', 'contract', 'legal_obligation', 'vital_interests', 'public_task',
        'legitimate_interests', 'withdrawn'))
);
call core.make_permanent('core.source', 'source_id');
comment on table core.source is 'Where media come from, and on what terms they may be used.';
comment on column core.source.source_id is 'Identity of the source.';
comment on column core.source.name is 'Unique name, as shown to people.';
comment on column core.source.uri is 'Folder or store that holds the media, as a URI.';
comment on column core.source.licence is 'Licence of the media, as an SPDX expression; null is unknown.';
comment on column core.source.consent_basis is
    'Legal basis for pictures of people: consent, contract, ... (those of the GDPR), not_needed (they show none), or '
    'withdrawn: nothing is allowed any more; null is unknown.';
comment on column core.source.allowed_use is
    'Uses the terms allow, for instance {research, training}; {} is none, null is not stated, which allows none either.';
comment on column core.source.jurisdiction is 'Country or region whose law applies.';
comment on column core.source.expires_at is 'When the right to use the media ends; null is never.';
comment on column core.source.strip_metadata is
    'Metadata that a sanitised copy must not have: location, serial, thumbnail, maker_note, xmp, iptc, comment, all.';
comment on column core.source.forbidden_finding is
    'Kinds of finding that hide a media while they are unresolved, for instance {gps, face}.';
comment on column core.source.created_at is 'When the source was registered.';

create table core.media (
    media_id bigint generated always as identity,
    sha256 bytea not null,
    kind text not null,
    mime text not null,
    n_bytes bigint not null,
    width integer not null,
    height integer not null,
    duration double precision,
    fps double precision,
    captured_at timestamptz,
    phash bit(64),
    group_key text,
    parent_media_id bigint,
    frame_index integer,
    pts double precision,
    n_frames integer,
    recipe jsonb,
    erased_at timestamptz,
    exif jsonb not null default '{}',
    attributes jsonb not null default '{}',
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint media_pk primary key (media_id),
    constraint media_sha256_key unique (sha256),
    constraint media_sha256_check check (octet_length(sha256) = 32),
    constraint media_kind_check check (kind in ('image', 'video', 'frame')),
    constraint media_size_check check (n_bytes >= 0 and width > 0 and height > 0),
    constraint media_frame_check check (
        (kind = 'frame') = (frame_index is not null and parent_media_id is not null and pts is not null)),
    constraint media_frame_index_check check (frame_index >= 0),
    constraint media_n_frames_check check (n_frames >= 0),
    constraint media_recipe_check check (recipe is null or parent_media_id is not null)
);
create index media_parent_idx on core.media (parent_media_id) where parent_media_id is not null;
create index media_group_idx on core.media (group_key) where group_key is not null;
create index media_run_idx on core.media using brin (run_id);
call core.make_permanent('core.media', 'media_id');
call core.refer('core.media', '{
    {parent_media_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
comment on table core.media is 'One row for each distinct content: an image, a video, or a frame of one.';
comment on column core.media.media_id is 'Identity of the content.';
comment on column core.media.sha256 is
    'SHA-256 of the file''s bytes; two files with the same bytes are one media. Of a frame: of its video''s '
    'hash and its frame_index (see smartdb.videos.frame_sha256), for its pixels are decoded on demand.';
comment on column core.media.kind is 'image, video or frame.';
comment on column core.media.mime is 'Type by content, not by file name, for instance image/jpeg.';
comment on column core.media.n_bytes is 'Size of the file in bytes.';
comment on column core.media.width is 'Width in pixels, after the EXIF orientation is applied.';
comment on column core.media.height is 'Height in pixels, after the EXIF orientation is applied.';
comment on column core.media.duration is 'Length in seconds, of a video.';
comment on column core.media.fps is 'Average frames per second, of a video.';
comment on column core.media.captured_at is 'When it was taken, if the file says so; a time without a zone is read as UTC.';
comment on column core.media.phash is
    '64-bit perceptual hash (pHash of imagehash); few differing bits (<~>) mean alike. '
    'Null for a picture without structure (one colour).';
comment on column core.media.group_key is
    'What must stay on one side of a split (a patient, a scene); null: the near-duplicate group decides.';
comment on column core.media.parent_media_id is 'The media that this one was derived from.';
comment on column core.media.frame_index is 'Number of the frame in its video, from 0.';
comment on column core.media.pts is 'Presentation time of the frame in its video, in seconds, as the decoder gives it.';
comment on column core.media.n_frames is
    'Frames that could be decoded, of a video (headers lie); frames of an animation or pages, by the file; null for one picture.';
comment on column core.media.recipe is
    'How it was derived from its parent: {"step": "frame" or "sanitise" ..., and its parameters}; null for an original.';
comment on column core.media.erased_at is
    'When its content was erased; what is left is a tombstone: the row, and its hash, so that it is not taken in again.';
comment on column core.media.exif is 'EXIF tags by name, as far as they can be read.';
comment on column core.media.attributes is 'Anything else known about the media.';
comment on column core.media.run_id is 'The ingest run that added it.';
comment on column core.media.created_at is 'When it was added.';

create table core.media_location (
    media_id bigint not null,
    source_id bigint not null,
    uri text not null,
    n_bytes bigint not null,
    modified_at timestamptz not null,
    etag text,
    is_managed boolean not null default false,
    seen_at timestamptz not null default now(),
    missing_at timestamptz,
    constraint media_location_pk primary key (source_id, uri)
);
create index media_location_media_idx on core.media_location (media_id);
call core.refer('core.media_location', '{
    {media_id, core.media, media_id},
    {source_id, core.source, source_id}
}');
comment on table core.media_location is 'Where the bytes of a media lie; the same bytes may lie in several places.';
comment on column core.media_location.media_id is 'The media.';
comment on column core.media_location.source_id is 'The source it was found in.';
comment on column core.media_location.uri is
    'Where the bytes are: file://, s3://, gs://, az://, https://, percent-encoded (so any file name, also one '
    'that is not UTF-8, has one). A frame lies at its video''s, with #frame=N.';
comment on column core.media_location.n_bytes is 'Size of the file when it was read; with modified_at tells whether to read it again.';
comment on column core.media_location.modified_at is 'Modification time of the file when it was read.';
comment on column core.media_location.etag is 'Version of the object as its store tells it; null for local files.';
comment on column core.media_location.is_managed is 'Whether smartdb made this copy, in its content-addressed store.';
comment on column core.media_location.seen_at is 'When it was last read.';
comment on column core.media_location.missing_at is 'When a listing first lacked it; null while it is there.';

create table core.quarantine (
    quarantine_id bigint generated always as identity,
    source_id bigint not null,
    uri text not null,
    reason text not null,
    detail text not null,
    n_bytes bigint,
    modified_at timestamptz,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint quarantine_pk primary key (quarantine_id),
    constraint quarantine_uri_key unique (source_id, uri),
    constraint quarantine_reason_check check (reason ~ '^[a-z_]+$'),
    constraint quarantine_source_fk foreign key (source_id)
        references core.source (source_id) on delete restrict,
    constraint quarantine_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
create index quarantine_run_idx on core.quarantine (run_id);
comment on table core.quarantine is 'Every file that was refused, and why. Nothing disappears without a row.';
comment on column core.quarantine.quarantine_id is 'Identity of the refusal.';
comment on column core.quarantine.source_id is 'The source it was found in.';
comment on column core.quarantine.uri is 'The file, as a percent-encoded file:// URI.';
comment on column core.quarantine.reason is
    'Stable code (smartdb.reasons says what each means): empty_file, not_an_image, not_a_video, unsupported, truncated, corrupt, '
    'too_large, too_slow, worker_died, unreadable, missing, changed, no_vector, no_place, erased.';
comment on column core.quarantine.detail is 'What the reader said, for a person.';
comment on column core.quarantine.n_bytes is 'Size of the file, if it could be told.';
comment on column core.quarantine.modified_at is 'Modification time of the file, if it could be told.';
comment on column core.quarantine.run_id is 'The run that refused it last.';
comment on column core.quarantine.created_at is 'When it was refused last.';

create table core.restriction (
    media_id bigint not null,
    reason text not null,
    created_at timestamptz not null default now(),
    constraint restriction_pk primary key (media_id, reason),
    constraint restriction_reason_check check (reason <> ''),
    constraint restriction_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict
);
comment on table core.restriction is
    'Media that only the privacy officer may see, such as unresolved personal data. Few rows, so '
    'the row-level security of every table about media can look here cheaply.';
comment on column core.restriction.media_id is 'The hidden media.';
comment on column core.restriction.reason is
    'Why it is hidden: finding (of a kind that its source forbids), replaced (by a clean copy, for ever), consent, '
    'expired, ... It is seen again when no reason is left.';
comment on column core.restriction.created_at is 'Since when.';

-- Or the planner takes it, until its first rows, for a thousand that each look-up has to read.
analyze core.restriction;

create procedure core.protect(relation regclass)
language plpgsql as $$
begin
    execute format('alter table %s enable row level security', relation);
    execute format('alter table %s force row level security', relation);
    execute format(
        'create policy unrestricted on %s using (
             media_id not in (select r.media_id from core.restriction as r)
             or pg_has_role(current_user, ''smartdb_privacy'', ''member''))', relation);
end
$$;
comment on procedure core.protect(regclass) is
    'Hides rows about restricted media (column media_id) from all but the privacy officer, also '
    'through views and from the owner of the table.';

call core.protect('core.media');
call core.protect('core.media_location');

create function core.media_by_sha256(digests bytea[])
returns table (sha256 bytea, media_id bigint)
language sql stable security definer
begin atomic
    select m.sha256, m.media_id from core.media as m where m.sha256 = any (digests);
end;
comment on function core.media_by_sha256(bytea[]) is
    'The media with these contents, restricted ones included, so that a pipeline that may not see '
    'a picture still recognises it. Returns ids only.';

create table core.quality (
    media_id bigint not null,
    brightness real not null,
    contrast real not null,
    sharpness real not null,
    entropy real not null,
    colourfulness real not null,
    constraint quality_pk primary key (media_id)
);
call core.refer('core.quality', '{{media_id, core.media, media_id}}');
comment on table core.quality is 'Statistics of the pixels of an image.';
comment on column core.quality.media_id is 'The media.';
comment on column core.quality.brightness is 'Mean luminance, 0 (black) to 1 (white).';
comment on column core.quality.contrast is 'Standard deviation of luminance, 0 to 0.5.';
comment on column core.quality.sharpness is 'Variance of the Laplacian of luminance (0 to 255 scale); small is blurry.';
comment on column core.quality.entropy is 'Shannon entropy of the luminance histogram, 0 to 8 bits.';
comment on column core.quality.colourfulness is
    'Colourfulness of Hasler and Suesstrunk (2003); 0 is grey, above 100 is extremely colourful.';

create table core.finding (
    finding_id bigint generated always as identity,
    media_id bigint not null,
    kind text not null,
    score real,
    region real[],
    detail jsonb not null default '{}',
    resolution text,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint finding_pk primary key (finding_id),
    constraint finding_media_kind_key unique nulls not distinct (media_id, kind, region),
    constraint finding_kind_check check (kind ~ '^[a-z_]+$'),
    constraint finding_region_check check (cardinality(region) = 4),
    constraint finding_resolution_check check (resolution in ('accepted', 'removed', 'false')),
    constraint finding_media_fk foreign key (media_id)
        references core.media (media_id) on delete cascade,
    constraint finding_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
create index finding_run_idx on core.finding (run_id);
comment on table core.finding is 'What a check found on a media.';
comment on column core.finding.finding_id is 'Identity of the finding.';
comment on column core.finding.media_id is 'The media.';
comment on column core.finding.kind is
    'What was found: gps, serial, thumbnail, maker_note, xmp, iptc, comment (in the metadata), face, plate (in the '
    'pixels), wrong_extension, a kind of '
    'quality_threshold (dark, blurry, ...), ...';
comment on column core.finding.score is 'The measured value that made it a finding.';
comment on column core.finding.region is 'x, y, width, height in pixels of the upright image; null is the whole media.';
comment on column core.finding.detail is
    'Anything else, for instance the position in the EXIF, the detector with its version and parameters, the note of '
    'who settled it, or the clean copy (derivative) that replaced it.';
comment on column core.finding.resolution is
    'null is open; accepted (may stay), removed (a clean copy replaced it), false (nothing there).';
comment on column core.finding.run_id is 'The run that found it.';
comment on column core.finding.created_at is 'When it was found.';

-- Where media lie, restricted ones included: ingest runs as smartdb_writer, which row-level
-- security does not show them, and must neither read their files at each run nor lose track of them.

create function core.location_of(source bigint, uris text[])
returns table (uri text, n_bytes bigint, modified_at timestamptz, etag text)
language sql stable security definer
begin atomic
    select l.uri, l.n_bytes, l.modified_at, l.etag
    from core.media_location as l
    where l.source_id = source and l.uri = any (uris);
end;
comment on function core.location_of(bigint, text[]) is
    'Size, time and version of the files of a source as they were last read, restricted media '
    'included, so that a pipeline that may not see a picture need not read its file again.';

create function core.unmanaged(source bigint, uris text[])
returns table (uri text)
language sql stable security definer
begin atomic
    select l.uri
    from core.media_location as l
    where l.source_id = source and l.uri = any (uris) and not exists (
        select from core.media_location as k where k.media_id = l.media_id and k.is_managed
    );
end;
comment on function core.unmanaged(bigint, text[]) is
    'Which of these files have no copy in the managed store, restricted media included.';

create function core.places_below(source bigint, root text, before timestamptz)
returns table (uri text, is_missing boolean)
language sql stable security definer
begin atomic
    select l.uri, l.missing_at is not null
    from core.media_location as l
    where l.source_id = source and not l.is_managed and l.seen_at < before
        and starts_with(l.uri, rtrim(root, '/') || '/')
        and l.uri not like '%#frame=%';  -- which lies where its video does
end;
comment on function core.places_below(bigint, text, timestamptz) is
    'The files of a source below a folder that were read before a moment, and which of them are '
    'missing, restricted media included. Managed copies are not among them.';

create function core.locate(
    source bigint, media_ids bigint[], uris text[], n_bytes bigint[], modified_at timestamptz[],
    etags text[], is_managed boolean
) returns void
language sql security definer
begin atomic
    insert into core.media_location
        (media_id, source_id, uri, n_bytes, modified_at, etag, is_managed)
    select f.media_id, source, f.uri, f.n_bytes, f.modified_at, f.etag, locate.is_managed
    from unnest(media_ids, uris, locate.n_bytes, locate.modified_at, etags)
        as f (media_id, uri, n_bytes, modified_at, etag)
    where not exists (select from core.media as m where m.media_id = f.media_id and m.erased_at is not null)
    order by f.uri
    on conflict (source_id, uri) do update
    set media_id = excluded.media_id, n_bytes = excluded.n_bytes,
        modified_at = excluded.modified_at, etag = excluded.etag, seen_at = now(),
        missing_at = null;
end;
comment on function core.locate(
    bigint, bigint[], text[], bigint[], timestamptz[], text[], boolean
) is
    'Records what files of a source hold now, restricted media included; a file that was known is '
    'moved to what it holds now. Rows are written in order of URI, so two calls cannot deadlock.';

create function core.mark_missing(source bigint, uris text[], since timestamptz)
returns table (n_missing bigint, n_moved bigint)
language sql security definer
begin atomic
    with gone as (
        select l.media_id, l.uri from core.media_location as l
        where l.source_id = source and l.uri = any (uris) and l.missing_at is null
        order by l.uri
        for update
    ),
    marked as (
        update core.media_location as l set missing_at = now()
        from gone where l.source_id = source and l.uri = gone.uri
        returning l.media_id
    ),
    frames as (
        update core.media_location as l set missing_at = now()
        from gone
        join core.media as m on m.parent_media_id = gone.media_id and m.kind = 'frame'
        where l.media_id = m.media_id and l.source_id = source
            and split_part(l.uri, '#frame=', 1) = gone.uri
    ),
    judged as (
        select exists (
            select from core.media_location as o
            where o.media_id = marked.media_id and o.seen_at >= since and not o.is_managed
        ) as is_moved
        from marked
    )
    select count(*) filter (where not j.is_moved), count(*) filter (where j.is_moved)
    from judged as j;
end;
comment on function core.mark_missing(bigint, text[], timestamptz) is
    'Marks files of a source that a listing lacked, and tells how many are missing and how many '
    'only moved: their bytes were read at another place since a moment. A video takes its frames along.';

create function core.mark_found(source bigint, uris text[]) returns void
language sql security definer
begin atomic
    with back as (
        select l.media_id, l.uri from core.media_location as l
        where l.source_id = source and l.uri = any (uris) and l.missing_at is not null
        order by l.uri
        for update
    ),
    frames as (
        update core.media_location as l set missing_at = null
        from back
        join core.media as m on m.parent_media_id = back.media_id and m.kind = 'frame'
        where l.media_id = m.media_id and l.source_id = source
            and split_part(l.uri, '#frame=', 1) = back.uri
    )
    update core.media_location as l set missing_at = null
    from back
    where l.source_id = source and l.uri = back.uri;
end;
comment on function core.mark_found(bigint, text[]) is
    'Takes the mark off files of a source that a listing has again, restricted media included.';

-- Sourcing: on what terms single media may be used, whom they show, and what was erased.

create table core.media_terms (
    media_id bigint not null,
    licence text,
    consent_basis text,
    allowed_use text[],
    jurisdiction text,
    expires_at timestamptz,
    note text not null default '',
    run_id bigint,
    created_at timestamptz not null default now(),
    constraint media_terms_pk primary key (media_id),
    constraint media_terms_consent_check check (consent_basis in (
        'not_needed', 'consent', 'contract', 'legal_obligation', 'vital_interests', 'public_task',
        'legitimate_interests', 'withdrawn'))
);
call core.refer('core.media_terms', '{
    {media_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
comment on table core.media_terms is
    'Terms of one media where they differ from its sources''; a column that is null leaves theirs as they are.';
comment on column core.media_terms.media_id is 'The media.';
comment on column core.media_terms.licence is 'Licence, as an SPDX expression.';
comment on column core.media_terms.consent_basis is 'Legal basis for a picture of people; withdrawn: nothing is allowed any more.';
comment on column core.media_terms.allowed_use is 'Uses that are allowed; {} is none.';
comment on column core.media_terms.jurisdiction is 'Country or region whose law applies.';
comment on column core.media_terms.expires_at is 'When the right to use it ends; infinity is never.';
comment on column core.media_terms.note is 'Why it differs.';
comment on column core.media_terms.run_id is 'The run that wrote it, if one did.';
comment on column core.media_terms.created_at is 'When it was written.';

create table core.media_subject (
    media_id bigint not null,
    subject_key text not null,
    created_at timestamptz not null default now(),
    constraint media_subject_pk primary key (subject_key, media_id),
    constraint media_subject_key_check check (subject_key <> '')
);
create index media_subject_media_idx on core.media_subject (media_id);
call core.refer('core.media_subject', '{{media_id, core.media, media_id}}');
comment on table core.media_subject is 'Which person (by a key of the team''s own, best a pseudonym) a media shows.';
comment on column core.media_subject.media_id is 'The media.';
comment on column core.media_subject.subject_key is 'Key of the person, as the team knows them.';
comment on column core.media_subject.created_at is 'When it was written.';

create table core.erasure (
    erasure_id bigint generated always as identity,
    reason text not null,
    asked text not null,
    actor text not null,
    report jsonb not null default '{}',
    run_id bigint not null,
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    constraint erasure_pk primary key (erasure_id),
    constraint erasure_reason_check check (reason <> ''),
    constraint erasure_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
create index erasure_run_idx on core.erasure (run_id);
call core.make_permanent('core.erasure', 'erasure_id');
comment on table core.erasure is 'Each request to erase media, and the report of what it did.';
comment on column core.erasure.erasure_id is 'Identity of the request.';
comment on column core.erasure.reason is 'Why, for instance "consent withdrawn".';
comment on column core.erasure.asked is 'What was named: media ids, a source or a hash of a subject key, never the key itself.';
comment on column core.erasure.actor is 'Login of who asked.';
comment on column core.erasure.report is
    'What was dealt with, in numbers, and every dataset version and model that contained it.';
comment on column core.erasure.run_id is 'The run that does it.';
comment on column core.erasure.created_at is 'When it was begun.';
comment on column core.erasure.finished_at is 'When the last byte was gone; null while it must be run again.';

create table core.tombstone (
    media_id bigint not null,
    erasure_id bigint not null,
    constraint tombstone_pk primary key (media_id)
);
create index tombstone_erasure_idx on core.tombstone (erasure_id);
call core.refer('core.tombstone', '{
    {media_id, core.media, media_id},
    {erasure_id, core.erasure, erasure_id}
}');
comment on table core.tombstone is 'Media that were erased, and by which request.';
comment on column core.tombstone.media_id is 'The media.';
comment on column core.tombstone.erasure_id is 'The request.';

-- Sourcing: from which value on a statistic of a picture becomes a finding. Data, so a team sets its own.

create table core.quality_threshold (
    kind text not null,
    statistic text not null,
    below double precision,
    above double precision,
    constraint quality_threshold_pk primary key (kind),
    constraint quality_threshold_kind_check check (
        kind ~ '^[a-z_]+$' and kind not in ('gps', 'wrong_extension', 'face', 'plate')),
    constraint quality_threshold_statistic_check check (statistic in (
        'brightness', 'contrast', 'sharpness', 'entropy', 'colourfulness', 'shorter_side', 'aspect')),
    constraint quality_threshold_side_check check (num_nonnulls(below, above) >= 1)
);
comment on table core.quality_threshold is
    'Findings made of statistics: a media has the finding if its statistic lies below the one or above the other.';
comment on column core.quality_threshold.kind is 'Kind of the finding; not one that another check finds.';
comment on column core.quality_threshold.statistic is
    'Column of core.quality, shorter_side (pixels), or aspect (longer side by shorter side).';
comment on column core.quality_threshold.below is 'Smaller values are a finding; null is none.';
comment on column core.quality_threshold.above is 'Larger values are a finding; null is none.';

insert into core.quality_threshold (kind, statistic, below, above) values
('dark', 'brightness', 0.08, null),
('bright', 'brightness', null, 0.95),
('low_contrast', 'contrast', 0.03, null),
('blurry', 'sharpness', 30, null),
('low_information', 'entropy', 1, null),
('odd_size', 'shorter_side', 16, null),
('odd_aspect', 'aspect', null, 5),
('greyscale', 'colourfulness', 0.01, null);

create view core.quality_finding as
select q.media_id, t.kind, s.value::real as score
from core.quality as q
join core.media as m using (media_id)
cross join core.quality_threshold as t
cross join lateral (
    select
        case t.statistic
            when 'brightness' then q.brightness
            when 'contrast' then q.contrast
            when 'sharpness' then q.sharpness
            when 'entropy' then q.entropy
            when 'colourfulness' then q.colourfulness
            when 'shorter_side' then least(m.width, m.height)
            when 'aspect' then greatest(m.width, m.height) / least(m.width, m.height)::double precision
        end as value
) as s
where s.value < t.below or s.value > t.above;
comment on view core.quality_finding is 'What the thresholds find in the statistics as both are now.';
comment on column core.quality_finding.media_id is 'The media.';
comment on column core.quality_finding.kind is 'Kind of the finding.';
comment on column core.quality_finding.score is 'Value of the statistic.';

create function core.find_quality(media_ids bigint[], run bigint) returns void
language sql security definer
begin atomic
    insert into core.finding (media_id, kind, score, run_id)
    select f.media_id, f.kind, f.score, run
    from core.quality_finding as f
    where f.media_id = any (media_ids)
    order by f.media_id, f.kind
    on conflict (media_id, kind, region) do nothing;
end;
comment on function core.find_quality(bigint[], bigint) is
    'Records what the thresholds find in the statistics of media, restricted ones included; what is there already stays.';

create function core.derive_findings(kinds text[], run bigint, out n_added bigint, out n_removed bigint)
language sql security definer
begin atomic
    with gone as (
        delete from core.finding as f
        where
            f.kind = any (kinds) and f.resolution is null and f.region is null
            and not exists (
                select from core.quality_finding as q where q.media_id = f.media_id and q.kind = f.kind
            )
        returning f.finding_id
    ),
    come as (
        insert into core.finding as f (media_id, kind, score, run_id)
        select q.media_id, q.kind, q.score, run
        from core.quality_finding as q
        where q.kind = any (kinds)
        order by q.media_id, q.kind
        on conflict (media_id, kind, region) do update set score = excluded.score
        where f.resolution is null and f.score is distinct from excluded.score
        returning f.xmax = 0 as is_new
    )
    select (select count(*) from come where come.is_new), (select count(*) from gone);
end;
comment on function core.derive_findings(text[], bigint) is
    'After a change of thresholds: adds the findings of these kinds that are due now and removes open ones that are '
    'not, from the statistics alone, restricted media included. What a person has resolved stays as it is.';

-- Hiding: media with an open finding of a kind that one of their sources forbids. Triggers write the
-- restriction in the transaction of the finding, so no writer can forget it; only the privacy
-- officer takes it back. A frame that is hidden hides its video, which shows the same.

create function core.forbidden(media_ids bigint[])
returns table (finding_id bigint, media_id bigint)
language sql stable
begin atomic
    select f.finding_id, f.media_id
    from core.finding as f
    where
        f.media_id = any (media_ids) and f.resolution is null
        and exists (
            select from core.media_location as l join core.source as s using (source_id)
            where l.media_id = f.media_id and f.kind = any (s.forbidden_finding)
        );
end;
comment on function core.forbidden(bigint[]) is
    'The open findings of these media that one of their sources forbids; restricted media only for who may see them.';

create function core.hide_found(media_ids bigint[]) returns void
language sql
begin atomic
    insert into core.restriction (media_id, reason)
    select f.media_id, 'finding' from core.forbidden(media_ids) as f
    union
    select m.parent_media_id, 'finding'
    from core.forbidden(media_ids) as f join core.media as m using (media_id)
    where m.kind = 'frame'
    order by 1
    on conflict do nothing;
end;
comment on function core.hide_found(bigint[]) is
    'Hides those of the media, and the videos of those frames, that have a forbidden finding.';

create function core.show_found(media_ids bigint[]) returns bigint
language sql
begin atomic
    with near as (  -- the media, the videos they are frames of, and the frames of those
        select m.media_id from unnest(media_ids) as m (media_id)
        union
        select m.parent_media_id from core.media as m
        where m.media_id = any (media_ids) and m.kind = 'frame'
    ),
    found as (
        select f.media_id from core.forbidden(array(select n.media_id from near as n)) as f
        union
        select m.parent_media_id
        from core.forbidden(array(
            select k.media_id from core.media as k join near as n on k.parent_media_id = n.media_id
            where k.kind = 'frame'
        )) as f
        join core.media as m using (media_id)
    ),
    shown as (
        delete from core.restriction as r
        where
            r.reason = 'finding'
            and r.media_id in (select n.media_id from near as n)
            and r.media_id not in (select f.media_id from found as f)
        returning r.media_id
    )
    select count(*) from shown;
end;
comment on function core.show_found(bigint[]) is
    'Lifts the restriction of those of the media (and of their videos) without a forbidden finding; returns how many.';

-- A finding or a place that is being written and a policy that is being changed do not see each
-- other, so a change of policy waits for writers in flight, and they for it.
create function core.hide_written() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform pg_advisory_xact_lock_shared(7360406);
    if exists (select from core.source as s where s.forbidden_finding <> '{}') then
        perform core.hide_found(array(select distinct c.media_id from changed as c));
    end if;
    return null;
end
$$;
comment on function core.hide_written() is
    'Statement trigger of findings and locations: hides the media of the rows that have a forbidden finding.';

create trigger hide_on_insert after insert on core.finding referencing new table as changed
for each statement execute function core.hide_written();
create trigger hide_on_update after update on core.finding referencing new table as changed
for each statement execute function core.hide_written();
create trigger hide_on_insert after insert on core.media_location referencing new table as changed
for each statement execute function core.hide_written();

create function core.hide_moved() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform pg_advisory_xact_lock_shared(7360406);
    perform core.hide_found(array[new.media_id]);
    return null;
end
$$;
comment on function core.hide_moved() is
    'Row trigger of locations: hides what lies there now, if it has a finding that is forbidden there.';

create trigger hide_moved after update of media_id on core.media_location
for each row when (old.media_id <> new.media_id) execute function core.hide_moved();

create function core.hide_by_policy() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    held bigint[];
begin
    perform pg_advisory_xact_lock(7360406);
    held := array(
        select l.media_id from core.media_location as l
        where l.source_id = new.source_id
            and (
                l.media_id in (select f.media_id from core.finding as f where f.resolution is null)
                or l.media_id in (select r.media_id from core.restriction as r where r.reason = 'finding')
            )
    );
    perform core.hide_found(held), core.show_found(held);
    return null;
end
$$;
comment on function core.hide_by_policy() is
    'Row trigger of sources: a new policy hides the media that it forbids, and shows those that it no longer does.';

create trigger hide_by_policy after update of forbidden_finding on core.source
for each row when (old.forbidden_finding is distinct from new.forbidden_finding)
execute function core.hide_by_policy();

create table core.detector (
    detector_id bigint generated always as identity,
    name text not null,
    version text not null,
    parameters jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint detector_pk primary key (detector_id),
    constraint detector_key unique (name, version, parameters),
    constraint detector_name_check check (name <> '')
);
call core.make_permanent('core.detector', 'detector_id');
comment on table core.detector is 'What looks for faces, plates and the like in pixels: a plug-in, in one version with its parameters.';
comment on column core.detector.detector_id is 'Identity of the detector.';
comment on column core.detector.name is 'What one calls it by, for instance haar:frontalface.';
comment on column core.detector.version is 'Version of the library, and a digest of the weights.';
comment on column core.detector.parameters is 'What it was set to.';
comment on column core.detector.created_at is 'When it first ran.';

create table core.detector_media (
    detector_id bigint not null,
    media_id bigint not null,
    run_id bigint not null,
    problem text,
    constraint detector_media_pk primary key (detector_id, media_id)
);
call core.refer('core.detector_media', '{
    {detector_id, core.detector, detector_id},
    {media_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
comment on table core.detector_media is
    'Media that a detector has looked at, also where it found nothing, so that it does not look again.';
comment on column core.detector_media.detector_id is 'The detector.';
comment on column core.detector_media.media_id is 'The media.';
comment on column core.detector_media.run_id is 'The run in which it did.';
comment on column core.detector_media.problem is 'Why it could not look, for instance a file that is gone; then it looks again.';

-- Sourcing: what the terms of media come to. They act as the owner, because a media may derive from
-- one that is hidden from the caller and is bound by its terms all the same.

create function core.terms_above(child bigint)
returns table (
    source_ids bigint[], licence text, consent_basis text, allowed_use text[], jurisdiction text,
    expires_at timestamptz
)
language sql stable security definer
begin atomic
    with recursive above as (
        select m.parent_media_id as media_id, 1 as depth
        from core.media as m where m.media_id = child and m.parent_media_id is not null
        union all
        select m.parent_media_id, a.depth + 1
        from above as a join core.media as m on m.media_id = a.media_id
        where m.parent_media_id is not null
    ),
    stated as (select a.depth, t.* from above as a join core.media_terms as t on t.media_id = a.media_id)
    select
        array(
            select distinct l.source_id
            from above as a join core.media_location as l on l.media_id = a.media_id
        ),
        (select s.licence from stated as s where s.licence is not null order by s.depth limit 1),
        (select s.consent_basis from stated as s where s.consent_basis is not null order by s.depth limit 1),
        (select s.allowed_use from stated as s where s.allowed_use is not null order by s.depth limit 1),
        (select s.jurisdiction from stated as s where s.jurisdiction is not null order by s.depth limit 1),
        (select s.expires_at from stated as s where s.expires_at is not null order by s.depth limit 1);
end;
comment on function core.terms_above(bigint) is
    'What a derived media has from those it derives from: the sources they lie in, and the nearest terms stated for one of them.';

create function core.use_refused(purpose text, at timestamptz)
returns table (media_id bigint, reason text)
language sql stable security definer rows 10000
begin atomic
    with recursive derived as (
        select m.media_id, m.parent_media_id as above_id, 1 as depth
        from core.media as m where m.parent_media_id is not null
        union all
        select d.media_id, m.parent_media_id, d.depth + 1
        from derived as d join core.media as m on m.media_id = d.above_id
        where m.parent_media_id is not null
    ),
    stated as (
        select t.media_id, 0 as depth, t.consent_basis, t.allowed_use, t.expires_at from core.media_terms as t
        union all
        select d.media_id, d.depth, t.consent_basis, t.allowed_use, t.expires_at
        from derived as d join core.media_terms as t on t.media_id = d.above_id
    ),
    own as ( -- the nearest that was stated
        select
            s.media_id,
            (array_agg(s.consent_basis = 'withdrawn' order by s.depth) filter (where s.consent_basis is not null))[1]
                as is_withdrawn,
            (array_agg(s.expires_at order by s.depth) filter (where s.expires_at is not null))[1] as expires_at,
            (array_agg(purpose = any (s.allowed_use) order by s.depth) filter (where s.allowed_use is not null))[1]
                as is_allowed
        from stated as s group by s.media_id
    ),
    source as ( -- those whose terms refuse something
        select
            s.source_id, s.name,
            coalesce(s.consent_basis = 'withdrawn', false) as is_withdrawn,
            case when s.expires_at <= at then s.expires_at end as expired_at,
            s.allowed_use is null as is_unstated,
            purpose is null or coalesce(purpose = any (s.allowed_use), false) as is_allowed
        from core.source as s
        where s.consent_basis = 'withdrawn' or s.expires_at <= at
            or (purpose is not null and purpose = any (s.allowed_use) is not true)
    ),
    placed as (
        select l.media_id, s.* from source as s join core.media_location as l on l.source_id = s.source_id
        union all
        select d.media_id, s.*
        from source as s
        join core.media_location as l on l.source_id = s.source_id
        join derived as d on d.above_id = l.media_id
        union all
        select m.media_id, null, null, false, null, true, false
        from core.media as m
        where purpose is not null
            and not exists (select from core.media_location as l where l.media_id = m.media_id)
            and not exists (
                select from derived as d join core.media_location as l on l.media_id = d.above_id
                where d.media_id = m.media_id)
    ),
    found as (
        select
            p.media_id,
            min(p.name) filter (where p.is_withdrawn) as withdrawn_by,
            min(p.expired_at) as expired_at,
            bool_and(p.is_allowed) as is_allowed,
            bool_or(p.is_unstated and not p.is_allowed) as is_unstated,
            min(p.name) filter (where not p.is_allowed) as refused_by
        from placed as p group by p.media_id
    ),
    verdict as (
        select
            media_id,
            case
                when coalesce(o.is_withdrawn, f.withdrawn_by is not null) then 'consent is withdrawn'
                when coalesce(o.expires_at, f.expired_at) <= at
                    then 'the right ended ' || to_char(coalesce(o.expires_at, f.expired_at) at time zone 'UTC', 'YYYY-MM-DD')
                when purpose is null or coalesce(o.is_allowed, f.is_allowed, true) then null
                when o.is_allowed is null and f.is_unstated then 'no allowed uses are stated'
                else purpose || ' is not allowed'
            end
            || case
                when coalesce(f.withdrawn_by, f.refused_by) is not null and num_nonnulls(o.is_withdrawn, o.expires_at, o.is_allowed) = 0
                    then ' (source ' || coalesce(f.withdrawn_by, f.refused_by) || ')'
                else ''
            end as reason
        from found as f full join own as o using (media_id)
    )
    select v.media_id, v.reason from verdict as v where v.reason is not null;
end;
comment on function core.use_refused(text, timestamptz) is
    'The media, hidden ones included, whose terms do not allow the use at the time, with the reason; for a use that is null '
    'those whose right has ended. Reads the sources that refuse something first, so it costs what is refused.';

-- Which ways of choosing frames have been carried out on which videos, so that none is done again.

create table core.extraction (
    media_id bigint not null,
    recipe jsonb not null,
    n_frames integer not null,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint extraction_pk primary key (media_id, recipe),
    constraint extraction_n_frames_check check (n_frames >= 0)
);
create index extraction_run_idx on core.extraction (run_id);
call core.protect('core.extraction');
call core.refer('core.extraction', '{
    {media_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
comment on table core.extraction is
    'A way of choosing frames that was carried out on a video to its end; its frames are media of their own.';
comment on column core.extraction.media_id is 'The video.';
comment on column core.extraction.recipe is
    'How frames were chosen: {"step": "frame", "by": "interval", "seconds": 1}, "key_frames", or "scenes" with a threshold.';
comment on column core.extraction.n_frames is 'Frames that it chose, those that were there already included.';
comment on column core.extraction.run_id is 'The run that did it.';
comment on column core.extraction.created_at is 'When.';

-- Managing: encoders, one typed table of vectors for each, and the neighbour graph on top.

create table core.encoder (
    encoder_id bigint generated always as identity,
    name text not null,
    dim integer not null,
    weights_sha256 bytea,
    preprocessing jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint encoder_pk primary key (encoder_id),
    constraint encoder_name_key unique (name),
    constraint encoder_name_check check (name <> ''),
    constraint encoder_dim_check check (dim between 1 and 4000),
    constraint encoder_weights_check check (octet_length(weights_sha256) = 32)
);
call core.make_permanent('core.encoder', 'encoder_id');
comment on table core.encoder is 'What turns a media into a vector; owns the table core.embedding_<encoder_id>.';
comment on column core.encoder.encoder_id is 'Identity of the encoder.';
comment on column core.encoder.name is 'Unique name, the one given to smartdb embed --encoder.';
comment on column core.encoder.dim is 'Length of its vectors (halfvec can be indexed to 4,000).';
comment on column core.encoder.weights_sha256 is 'SHA-256 of its weights; null for one without weights.';
comment on column core.encoder.preprocessing is 'How pixels are prepared: size, mean, standard deviation, channel order.';
comment on column core.encoder.created_at is 'When it was registered.';

call core.make_checker('embedding_refers', '{{media_id, core.media, media_id}}');

create function core.expose_encoder(id bigint) returns void
language plpgsql as $$
begin
    execute format(
        'create view smartdb.embedding_%1$s as select media_id, v from core.embedding_%1$s', id);
    execute format(
        'comment on view smartdb.embedding_%s is %L', id,
        'Unit vectors of encoder ' || (select e.name from core.encoder as e where e.encoder_id = id)
        || ', one row a media: order by v <=> query for cosine distance.');
    execute format('comment on column smartdb.embedding_%s.media_id is %L', id, 'The media.');
    execute format('comment on column smartdb.embedding_%s.v is %L', id, 'Its vector, of length 1.');
    execute format('grant select on smartdb.embedding_%s to smartdb_reader', id);
    perform core.expose_regions(id);
end
$$;
comment on function core.expose_encoder(bigint) is
    'Makes the interface views smartdb.embedding_<id> and region_embedding_<id>; called for a new encoder and at each '
    'rebuild of the interface.';

create function core.add_encoder(
    name text, dim integer, weights_sha256 bytea default null, preprocessing jsonb default '{}'
) returns bigint
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    known core.encoder;
    id bigint;
begin
    perform pg_advisory_xact_lock(7360402);
    select * into known from core.encoder as e where e.name = add_encoder.name;
    if found then
        if known.dim <> add_encoder.dim
            or known.weights_sha256 is distinct from add_encoder.weights_sha256 then
            raise exception 'encoder % is registered with other weights', add_encoder.name
                using errcode = 'SD005', hint = 'give the new weights a name of their own';
        end if;
        return known.encoder_id;
    end if;
    insert into core.encoder (name, dim, weights_sha256, preprocessing)
    values (add_encoder.name, add_encoder.dim, add_encoder.weights_sha256, add_encoder.preprocessing)
    returning encoder_id into id;
    execute format(
        'create table core.embedding_%1$s (
             media_id bigint not null,
             v halfvec(%2$s) not null,
             constraint embedding_%1$s_pk primary key (media_id))', id, add_encoder.dim);
    execute format('call core.attach_checker(%L, ''embedding_refers'')', 'core.embedding_' || id);
    execute format('alter table core.embedding_%s alter column v set storage plain', id);
    execute format('comment on table core.embedding_%s is %L', id,
        'Vectors of encoder ' || add_encoder.name || ', normalised to length 1.');
    execute format('call core.protect(%L)', 'core.embedding_' || id);
    execute format(
        'create trigger forget_vectors after delete on core.embedding_%1$s referencing old table as gone
         for each statement execute function core.forget_vectors(%1$s)', id);
    execute format('grant select, insert, delete on core.embedding_%s to smartdb_writer', id);
    perform core.add_region_embedding(id);
    perform core.expose_encoder(id);
    return id;
end
$$;
comment on function core.add_encoder(text, integer, bytea, jsonb) is
    'Registers an encoder with its table of vectors and returns its id; the same name with the '
    'same weights returns the id it has, with other weights it is refused (SD005).';

create function core.index_vectors(relation text, dim integer) returns void
language plpgsql as $$
declare
    -- what the graph takes while it is built; beyond the memory it goes on, many times slower
    wanted constant bigint := pg_relation_size('core.' || relation) / 1024 * (2 * dim + 750) / (2 * dim + 60);
    given constant bigint := pg_size_bytes(current_setting('maintenance_work_mem')) / 1024;
begin
    if wanted > given then
        perform set_config('maintenance_work_mem', least(wanted, 2 * given)::text, true);
    end if;
    execute format(
        'create index if not exists %1$s_hnsw on core.%1$s
         using hnsw (v halfvec_cosine_ops) with (m = 16, ef_construction = 128)', relation);
end
$$;
comment on function core.index_vectors(text, integer) is
    'Builds the HNSW index (cosine) of a table of vectors of core, with the memory that it takes.';

create function core.index_encoder(id bigint) returns void
language sql security definer set search_path = pg_catalog, public
begin atomic
    select core.index_vectors('embedding_' || e.encoder_id, e.dim)
    from core.encoder as e where e.encoder_id = id;
end;
comment on function core.index_encoder(bigint) is
    'Builds the HNSW index (cosine) of an encoder''s vectors. Worth it above some hundred thousand '
    'vectors; below that the exact scan is quick and has recall 1.';

create table core.neighbour (
    encoder_id bigint not null,
    media_id bigint not null,
    rank smallint not null,
    neighbour_id bigint not null,
    distance real not null,
    constraint neighbour_pk primary key (media_id, encoder_id, rank),
    constraint neighbour_rank_check check (rank >= 1),
    constraint neighbour_other_check check (neighbour_id <> media_id)
);
create index neighbour_neighbour_idx on core.neighbour (neighbour_id);
call core.refer('core.neighbour', '{
    {encoder_id, core.encoder, encoder_id},
    {media_id, core.media, media_id},
    {neighbour_id, core.media, media_id}
}');
comment on table core.neighbour is
    'Edges of the k-nearest-neighbour graph: duplicates, leakage, uniqueness and outliers read it.';
comment on column core.neighbour.encoder_id is 'Encoder whose vectors were compared.';
comment on column core.neighbour.media_id is 'The media.';
comment on column core.neighbour.rank is '1 is the nearest.';
comment on column core.neighbour.neighbour_id is 'The neighbour; never the media itself.';
comment on column core.neighbour.distance is 'Cosine distance, 0 (same direction) to 2.';

create table core.duplicate (
    media_id bigint not null,
    group_id bigint not null,
    run_id bigint not null,
    group_sha256 bytea,
    constraint duplicate_pk primary key (media_id)
);
create index duplicate_group_idx on core.duplicate (group_id);
call core.refer('core.duplicate', '{
    {media_id, core.media, media_id},
    {group_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
create function core.name_group() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    new.group_sha256 := (select m.sha256 from core.media as m where m.media_id = new.group_id);
    return new;
end
$$;
comment on function core.name_group() is 'Row trigger of near-duplicates: fills in group_sha256, of a hidden media too.';
create trigger name_group before insert on core.duplicate for each row execute function core.name_group();
comment on table core.duplicate is 'Members of the near-duplicate groups (two or more media each).';
comment on column core.duplicate.media_id is 'The member.';
comment on column core.duplicate.group_id is 'The group, named by its smallest media_id.';
comment on column core.duplicate.group_sha256 is
    'SHA-256 of that media, which names the group in splits. It is kept here, for the media may be hidden by now, '
    'and what is left of the group must not move.';
comment on column core.duplicate.run_id is 'The run that found the group.';

create table core.duplicate_pair (
    encoder_id bigint not null,
    media_id bigint not null,
    other_id bigint not null,
    bits smallint not null,
    distance real not null,
    constraint duplicate_pair_pk primary key (media_id, other_id, encoder_id),
    constraint duplicate_pair_order_check check (media_id < other_id),
    constraint duplicate_pair_bits_check check (bits between 0 and 64)
);
create index duplicate_pair_other_idx on core.duplicate_pair (other_id);
call core.refer('core.duplicate_pair', '{
    {encoder_id, core.encoder, encoder_id},
    {media_id, core.media, media_id},
    {other_id, core.media, media_id}
}');
comment on table core.duplicate_pair is
    'Media whose perceptual hashes hardly differ, with the distance of their vectors: candidates of near-duplicates.';
comment on column core.duplicate_pair.encoder_id is 'Encoder whose vectors were compared.';
comment on column core.duplicate_pair.media_id is 'The media with the smaller id.';
comment on column core.duplicate_pair.other_id is 'The other media.';
comment on column core.duplicate_pair.bits is 'Bits in which the hashes differ, of 64.';
comment on column core.duplicate_pair.distance is 'Cosine distance of the vectors, 0 to 2.';

-- Managing: texts that an encoder's text tower turned into vectors, to search pictures with in SQL.

create table core.prompt (
    encoder_id bigint not null,
    text text not null,
    v halfvec not null,
    created_at timestamptz not null default now(),
    constraint prompt_pk primary key (encoder_id, text),
    constraint prompt_text_check check (text <> '' and length(text) <= 2000),
    constraint prompt_encoder_fk foreign key (encoder_id)
        references core.encoder (encoder_id) on delete restrict
);
comment on table core.prompt is 'Texts as vectors of an encoder''s text tower: smartdb.prompt(text) finds them.';
comment on column core.prompt.encoder_id is 'The encoder, whose pictures lie in the same space.';
comment on column core.prompt.text is 'The text as it was given, for instance a red car at night.';
comment on column core.prompt.v is 'Its vector, of length 1.';
comment on column core.prompt.created_at is 'When it was saved.';

-- What the neighbour graph says of each media, its clusters and its map. A vector that goes takes its edges
-- along, and the media that lose an edge are looked at again in the next build.

create table core.graph (
    encoder_id bigint not null,
    k smallint not null,
    largest_isolation real,
    run_id bigint not null,
    constraint graph_pk primary key (encoder_id),
    constraint graph_k_check check (k >= 1)
);
call core.refer('core.graph', '{{encoder_id, core.encoder, encoder_id}, {run_id, core.run, run_id}}');
comment on table core.graph is 'The neighbour graph of each encoder as a whole.';
comment on column core.graph.encoder_id is 'Encoder whose vectors were compared.';
comment on column core.graph.k is 'How many neighbours each media has, where there are as many.';
comment on column core.graph.largest_isolation is 'The largest isolation in core.media_graph, which uniqueness is a share of.';
comment on column core.graph.run_id is 'The run that changed its edges last.';

create table core.media_graph (
    encoder_id bigint not null,
    media_id bigint not null,
    n_neighbours smallint,
    distance real,
    isolation real,
    cluster_id integer,
    centre_distance real,
    map_x real,
    map_y real,
    run_id bigint not null,
    constraint media_graph_pk primary key (media_id, encoder_id),
    constraint media_graph_cluster_check check ((cluster_id is null) = (centre_distance is null)),
    constraint media_graph_map_check check ((map_x is null) = (map_y is null))
);
create index media_graph_cluster_idx on core.media_graph (encoder_id, cluster_id, centre_distance);
call core.refer('core.media_graph', '{
    {encoder_id, core.encoder, encoder_id},
    {media_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
comment on table core.media_graph is 'What the neighbour graph of an encoder says of a media; a row for each media that is in the graph.';
comment on column core.media_graph.encoder_id is 'Encoder whose vectors were compared.';
comment on column core.media_graph.media_id is 'The media.';
comment on column core.media_graph.n_neighbours is 'How many edges it has; null since some were lost, until the next build.';
comment on column core.media_graph.distance is 'Mean cosine distance to its neighbours; null without any.';
comment on column core.media_graph.isolation is
    'Weighted mean cosine distance to its three nearest neighbours (0.6, 0.3, 0.1); null without any.';
comment on column core.media_graph.cluster_id is 'The cluster with the nearest centre; null until it is placed.';
comment on column core.media_graph.centre_distance is 'Cosine distance to that centre.';
comment on column core.media_graph.map_x is 'Place on the map, from left to right; null until it is placed.';
comment on column core.media_graph.map_y is 'Place on the map, from bottom to top.';
comment on column core.media_graph.run_id is 'The run that wrote the row last.';

create table core.cluster (
    encoder_id bigint not null,
    cluster_id integer not null,
    v halfvec not null,
    radius real not null,
    run_id bigint not null,
    constraint cluster_pk primary key (encoder_id, cluster_id),
    constraint cluster_id_check check (cluster_id >= 1),
    constraint cluster_radius_check check (radius >= 0)
);
call core.refer('core.cluster', '{{encoder_id, core.encoder, encoder_id}, {run_id, core.run, run_id}}');
comment on table core.cluster is 'Centres of the clusters of an encoder''s vectors; they stay when media come, until they are made anew.';
comment on column core.cluster.encoder_id is 'Encoder whose vectors were clustered.';
comment on column core.cluster.cluster_id is 'Number of the cluster among those of the encoder; 1 was the largest when they were made.';
comment on column core.cluster.v is 'Its centre, of length 1.';
comment on column core.cluster.radius is 'Cosine distance of the farthest member when it was made.';
comment on column core.cluster.run_id is 'The run that made it.';

create table core.map (
    encoder_id bigint not null,
    method text not null,
    origin halfvec,
    x_axis halfvec,
    y_axis halfvec,
    run_id bigint not null,
    constraint map_pk primary key (encoder_id),
    constraint map_method_check check (method in ('pca', 'pacmap')),
    constraint map_axes_check check (num_nonnulls(origin, x_axis, y_axis) = case method when 'pca' then 3 else 0 end)
);
call core.refer('core.map', '{{encoder_id, core.encoder, encoder_id}, {run_id, core.run, run_id}}');
comment on table core.map is 'How the two-dimensional map of an encoder''s vectors was made.';
comment on column core.map.encoder_id is 'Encoder whose vectors are mapped.';
comment on column core.map.method is 'pca (new media are projected) or pacmap (new media come between their neighbours).';
comment on column core.map.origin is 'Mean of the vectors; null unless pca.';
comment on column core.map.x_axis is 'First principal component; null unless pca.';
comment on column core.map.y_axis is 'Second principal component; null unless pca.';
comment on column core.map.run_id is 'The run that made it, with its seed.';

create function core.miss_edges() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    update core.media_graph as g set n_neighbours = null
    from (select distinct encoder_id, media_id from gone) as n
    where g.media_id = n.media_id and g.encoder_id = n.encoder_id and g.n_neighbours is not null;
    return null;
end
$$;
comment on function core.miss_edges() is
    'Statement trigger of the neighbour graph: media that lost an edge are looked at again in the next build.';
create trigger miss_edges after delete on core.neighbour referencing old table as gone
for each statement execute function core.miss_edges();

-- A build that is being written and a vector that goes do not see each other, so they wait.
create function core.forget_vectors() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    encoder constant bigint := tg_argv[0];
    ids constant bigint[] := array(select g.media_id from gone as g);
begin
    perform pg_advisory_xact_lock_shared(7360404, encoder::integer);
    delete from core.neighbour as n
    where n.encoder_id = encoder and (n.media_id = any (ids) or n.neighbour_id = any (ids));
    delete from core.media_graph as g where g.encoder_id = encoder and g.media_id = any (ids);
    return null;
end
$$;
comment on function core.forget_vectors() is
    'Statement trigger of the tables of vectors: the edges from and to a vector go with it.';

-- Annotating: geometry of labels. Points are parsed by the server's own geometric types, so that a
-- check of a long outline costs little more than reading it.

create function core.path_of(points jsonb) returns path
language sql immutable strict parallel safe
return translate(points::text, '[] ', '()')::path;
comment on function core.path_of(jsonb) is
    'The closed path through points [[x, y], ...]; an error if they are no such list.';

create function core.mask_facts(height integer, counts text) returns bigint[]
language plpgsql immutable strict parallel safe as $$
declare
    data constant bytea := convert_to(counts, 'UTF8');
    bits integer;
    shift integer := 0;
    value bigint := 0;
    run bigint := 0;  -- the last run, the one before it, and the one before that
    before bigint := 0;
    long_before bigint := 0;
    n_runs integer := 0;
    at bigint := 0;  -- pixels so far, column by column
    n_set bigint := 0;
    x0 bigint;
    x1 bigint := 0;
    y0 bigint := height;
    y1 bigint := 0;
begin
    for i in 0 .. octet_length(data) - 1 loop
        bits := get_byte(data, i) - 48;
        if bits not between 0 and 63 or shift > 40 then
            return null;
        end if;
        value := value | ((bits & 31)::bigint << shift);
        shift := shift + 5;
        continue when bits & 32 <> 0;
        if bits & 16 <> 0 then
            value := value - (1::bigint << shift);
        end if;
        long_before := before;
        before := run;
        run := case when n_runs > 2 then value + long_before else value end;
        n_runs := n_runs + 1;
        value := 0;
        shift := 0;
        if run < 0 then
            return null;
        elsif run > 0 and n_runs % 2 = 0 then
            x0 := coalesce(x0, at / height);
            x1 := (at + run - 1) / height + 1;
            if at / height < x1 - 1 then  -- it goes on in the next column
                y0 := 0;
                y1 := height;
            else
                y0 := least(y0, at % height);
                y1 := greatest(y1, at % height + run);
            end if;
            n_set := n_set + run;
        end if;
        at := at + run;
    end loop;
    return case when shift = 0 then array[at, n_set, x0, y0, x1, y1] end;
end
$$;
comment on function core.mask_facts(integer, text) is
    'Of compressed run lengths (COCO''s, column by column): how many pixels they make up, how many of these are in the mask, and '
    'its left, top, right and bottom edge (null, the height, 0, 0 if none are). Null if they are no run lengths.';

create function core.bounds_of(kind text, shape jsonb) returns double precision[]
language plpgsql immutable strict parallel safe as $$
declare
    points jsonb;
    facts bigint[];
    bounds box;
begin
    if kind = 'mask' then
        facts := core.mask_facts((shape #>> '{size,0}')::integer, shape ->> 'counts');
        return array[facts[3], facts[4], facts[5] - facts[3], facts[6] - facts[4]];
    end if;
    points := case kind
        when 'polygon' then jsonb_path_query_array(shape, '$.polygons[*][0][*]')
        when 'rotated_box' then shape -> 'corners'
        when 'polyline' then shape -> 'points'
        when 'keypoints' then (
            select jsonb_agg(jsonb_build_array(p.point -> 0, p.point -> 1))
            from jsonb_array_elements(shape -> 'points') as p (point) where (p.point ->> 2)::numeric > 0)
    end;
    bounds := box(polygon(core.path_of(points)));
    return array[(bounds[1])[0], (bounds[1])[1], (bounds[0])[0] - (bounds[1])[0], (bounds[0])[1] - (bounds[1])[1]];
end
$$;
comment on function core.bounds_of(text, jsonb) is
    'The bounding box {x, y, w, h} of a shape, of keypoints that of the labelled ones; null if there is none. An error if it is no '
    'shape of this kind: ask core.shape_problem first.';

create function core.shape_problem(
    kind text, x double precision, y double precision, w double precision, h double precision, shape jsonb
)
returns text
language plpgsql immutable parallel restricted as $$
declare
    outline path;
    facts bigint[];
    bounds double precision[];
begin
    if kind in ('classification', 'box', 'relation') then
        return case when shape is not null then 'a ' || kind || ' has no shape' end;
    elsif jsonb_typeof(shape) is distinct from 'object' then
        return 'its shape is missing';
    elsif kind = 'caption' then
        return case when jsonb_typeof(shape -> 'text') is distinct from 'string' then 'its text is missing: {"text": ...}' end;
    elsif kind = 'mask' then
        if not coalesce(shape @? 'strict $.size ? (@.type() == "array" && @.size() == 2 && @[0] >= 1 && @[1] >= 1 && @[0] * @[1] < 4294967296)', false)
            or jsonb_typeof(shape -> 'counts') is distinct from 'string' then
            return 'a mask is {"size": [height, width], "counts": compressed run lengths of COCO}';
        end if;
        facts := core.mask_facts((shape #>> '{size,0}')::integer, shape ->> 'counts');
        if facts is null or facts[1] <> (shape #>> '{size,0}')::bigint * (shape #>> '{size,1}')::bigint then
            return format('the run lengths of its mask do not make up %s x %s pixels', shape #>> '{size,1}', shape #>> '{size,0}');
        elsif facts[2] = 0 then
            return 'there is no pixel in its mask';
        end if;
        bounds := array[facts[3], facts[4], facts[5] - facts[3], facts[6] - facts[4]];
    elsif kind = 'polygon' then
        if not shape @? '$.polygons[0][0][0]' or jsonb_typeof(shape -> 'polygons') <> 'array' then
            return 'a polygon is {"polygons": [[outer ring, hole, ...], ...]}, a ring is [[x, y], ...]';
        end if;
        for p in 0 .. jsonb_array_length(shape -> 'polygons') - 1 loop
            for r in 0 .. jsonb_array_length(shape #> array['polygons', p::text]) - 1 loop
                outline := core.path_of(shape #> array['polygons', p::text, r::text]);
                if npoints(outline) < 3 then
                    return 'a ring of its polygon has fewer than three points';
                elsif not area(outline) > 0 then
                    return 'a ring of its polygon has no area';
                end if;
            end loop;
        end loop;
    elsif kind = 'rotated_box' then
        outline := core.path_of(shape -> 'corners');
        if coalesce(npoints(outline), 0) <> 4 then
            return 'a rotated box is {"corners": [[x, y], four times]}';
        elsif not area(outline) > 0 then
            return 'it has no area';
        end if;
    elsif kind = 'polyline' then
        outline := core.path_of(shape -> 'points');
        if coalesce(npoints(outline), 0) < 2 then
            return 'a polyline is {"points": [[x, y], ...]}, two or more';
        elsif not length(outline) > 0 then
            return 'it has no length';
        end if;
    elsif kind = 'keypoints' then
        if coalesce(shape @? 'strict $.points[*] ? (
            @.type() != "array" || @.size() != 3 || @[*].type() != "number" || @[2] < 0 || @[2] > 2)', true) then
            return 'keypoints are {"points": [[x, y, visibility 0 to 2], ...]}';
        end if;
        return null; -- its box may be that of the object
    end if;
    if x is null then
        return null;
    end if;
    bounds := coalesce(bounds, core.bounds_of(kind, shape));
    if greatest(
        abs(bounds[1] - x), abs(bounds[2] - y), abs(bounds[1] + bounds[3] - x - w), abs(bounds[2] + bounds[4] - y - h)
    ) > 1 then
        return format('its box %s is not around its shape, which is in %s', array[x, y, w, h], bounds);
    end if;
    return null;
exception when data_exception then
    return 'its shape holds something else than points [x, y]';
end
$$;
comment on function core.shape_problem(
    text, double precision, double precision, double precision, double precision, jsonb
) is
    'What is wrong with the shape of a label, for a person; null if nothing is. Rings have three points or more and an area, run '
    'lengths make up the size of their mask. If a box is given, it is within a pixel of the one around the shape, save that of '
    'keypoints, which may be that of the object.';

create function core.place_problem(
    kind text, x double precision, y double precision, w double precision, h double precision, shape jsonb, width integer, height integer
)
returns text
language sql immutable parallel safe
return case
    when kind = 'mask' and ((shape #>> '{size,0}')::numeric <> height or (shape #>> '{size,1}')::numeric <> width)
        then format('its mask is %s high and %s wide, but the picture %s and %s', shape #>> '{size,0}', shape #>> '{size,1}', height, width)
    when x < -0.001 or y < -0.001 or x + w > width + 0.001 or y + h > height + 0.001
        then format('its box [%s, %s, %s, %s] lies partly outside of %s x %s', x, y, w, h, width, height)
end;
comment on function core.place_problem(
    text, double precision, double precision, double precision, double precision, jsonb, integer, integer
) is 'In what the place of a label disagrees with the size of its picture, for a person; null if in nothing.';

create function core.points_between(a jsonb, b jsonb, share double precision) returns jsonb
language sql immutable strict parallel safe
begin atomic
    select jsonb_agg(
        case
            when least((p.point ->> 2)::double precision, (q.point ->> 2)::double precision) = 0 then p.point
            else jsonb_build_array(
                (p.point ->> 0)::double precision * (1 - share) + (q.point ->> 0)::double precision * share,
                (p.point ->> 1)::double precision * (1 - share) + (q.point ->> 1)::double precision * share
            ) || case when jsonb_array_length(p.point) > 2 then jsonb_build_array(p.point -> 2) else '[]' end
        end
        order by p.place)
    from jsonb_array_elements(a) with ordinality as p (point, place)
    join jsonb_array_elements(b) with ordinality as q (point, place) using (place);
end;
comment on function core.points_between(jsonb, jsonb, double precision) is
    'The points at a share (0 to 1) of the way from those of one list to those of another as long. A keypoint that is not labelled '
    'at either end stays as it is at the first, and its visibility too.';

create function core.shape_between(kind text, a jsonb, b jsonb, share double precision) returns jsonb
language sql immutable parallel safe
return case
    when a is null or share = 0 then a
    when kind = 'rotated_box' then jsonb_build_object('corners', core.points_between(a -> 'corners', b -> 'corners', share))
    when kind in ('keypoints', 'polyline') and jsonb_array_length(a -> 'points') = jsonb_array_length(b -> 'points')
        then jsonb_build_object('points', core.points_between(a -> 'points', b -> 'points', share))
    else a
end;
comment on function core.shape_between(text, jsonb, jsonb, double precision) is
    'The shape at a share (0 to 1) of the way from one to another of the same kind: corners, keypoints and polylines of as many points '
    'move in straight lines, polygons and masks stay as they are at the first.';

-- Annotating: what may be said: ontologies, whose versions never change.

create table core.ontology (
    ontology_id bigint generated always as identity,
    name text not null,
    note text,
    created_at timestamptz not null default now(),
    constraint ontology_pk primary key (ontology_id),
    constraint ontology_name_key unique (name),
    constraint ontology_name_check check (name <> '')
);
comment on table core.ontology is 'A named set of classes that labels choose from.';
comment on column core.ontology.ontology_id is 'Identity of the ontology.';
comment on column core.ontology.name is 'Unique name, as shown to people.';
comment on column core.ontology.note is 'Instructions for annotators.';
comment on column core.ontology.created_at is 'When it was made.';

create table core.ontology_version (
    ontology_id bigint not null,
    version integer not null,
    message text not null,
    revision bigint not null default nextval('core.revision'),
    created_at timestamptz not null default now(),
    constraint ontology_version_pk primary key (ontology_id, version),
    constraint ontology_version_check check (version >= 1),
    constraint ontology_version_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict
);
comment on table core.ontology_version is 'An immutable state of an ontology; every change makes the next one.';
comment on column core.ontology_version.ontology_id is 'The ontology.';
comment on column core.ontology_version.version is 'Number of the version, from 1.';
comment on column core.ontology_version.message is 'What changed and why.';
comment on column core.ontology_version.revision is
    'Labels with a larger rev_from were written under this version or a later one.';
comment on column core.ontology_version.created_at is 'When it was made.';

create table core.class (
    class_id bigint generated always as identity,
    ontology_id bigint not null,
    name text not null,
    parent_class_id bigint,
    kinds text[] not null default
    '{classification,box,rotated_box,polygon,mask,polyline,keypoints,caption,relation}',
    skeleton jsonb,
    is_open boolean not null default true,
    changed_in integer,
    version_from integer not null,
    version_to integer,
    replaces_class_id bigint,
    constraint class_pk primary key (class_id),
    constraint class_name_check check (name <> ''),
    constraint class_kinds_check check (
        kinds <@ '{classification,box,rotated_box,polygon,mask,polyline,keypoints,caption,relation}'
        and cardinality(kinds) > 0),
    constraint class_skeleton_check check (jsonb_typeof(skeleton -> 'points') = 'array'),
    constraint class_changed_check check (changed_in > version_from),
    constraint class_version_check check (version_to > version_from),
    constraint class_parent_fk foreign key (parent_class_id)
        references core.class (class_id) on delete restrict,
    constraint class_replaces_fk foreign key (replaces_class_id)
        references core.class (class_id) on delete restrict,
    constraint class_version_fk foreign key (ontology_id, version_from)
        references core.ontology_version (ontology_id, version) on delete restrict,
    constraint class_retired_fk foreign key (ontology_id, version_to)
        references core.ontology_version (ontology_id, version) on delete restrict
);
create unique index class_name_key on core.class (ontology_id, name) where version_to is null;
create index class_parent_idx on core.class (parent_class_id);
create index class_version_idx on core.class (ontology_id, version_from);
create index class_replaces_idx on core.class (replaces_class_id) where replaces_class_id is not null;
create index class_retired_idx on core.class (ontology_id, version_to);
call core.make_permanent('core.class', 'class_id');
comment on table core.class is
    'Classes of an ontology, possibly nested; in version v if version_from <= v and (version_to is null or version_to > v).';
comment on column core.class.class_id is 'Identity of the class, the same in all versions it is in.';
comment on column core.class.ontology_id is 'The ontology.';
comment on column core.class.name is 'Name, unique among the classes in use.';
comment on column core.class.parent_class_id is 'The class this one is a kind of.';
comment on column core.class.kinds is 'Kinds of label it may be used in.';
comment on column core.class.skeleton is
    'What keypoints are, in order, and which are joined: {"points": [name, ...], "edges": [[name, name], ...]}; null: any points.';
comment on column core.class.is_open is 'Whether labels may carry attributes that it does not declare, as files bring them.';
comment on column core.class.changed_in is
    'Version in which its place, kinds, skeleton or openness changed last; null: never. What they were is in core.former_class.';
comment on column core.class.version_from is 'First version that has it.';
comment on column core.class.version_to is 'First version that no longer has it; null: it is in use.';
comment on column core.class.replaces_class_id is
    'The class, retired in the same version, of which this is the new name. A class is never renamed in place: sealed versions name it.';

create table core.former_class (
    class_id bigint not null,
    version_from integer not null,
    version_to integer not null,
    parent_class_id bigint,
    kinds text[] not null,
    skeleton jsonb,
    is_open boolean not null,
    constraint former_class_pk primary key (class_id, version_from),
    constraint former_class_version_check check (version_to > version_from),
    constraint former_class_class_fk foreign key (class_id)
        references core.class (class_id) on delete restrict,
    constraint former_class_parent_fk foreign key (parent_class_id)
        references core.class (class_id) on delete restrict
);
create index former_class_parent_idx on core.former_class (parent_class_id) where parent_class_id is not null;
comment on table core.former_class is
    'What a class was like before a version changed it: so in version v if version_from <= v < version_to.';
comment on column core.former_class.class_id is 'The class.';
comment on column core.former_class.version_from is 'First version in which it was so.';
comment on column core.former_class.version_to is 'The version that changed it.';
comment on column core.former_class.parent_class_id is 'The class it was a kind of.';
comment on column core.former_class.kinds is 'Kinds of label it might be used in.';
comment on column core.former_class.skeleton is 'Its keypoints.';
comment on column core.former_class.is_open is 'Whether labels might carry attributes that it did not declare.';

create function core.newest_version(class bigint) returns integer
language sql stable
begin atomic
    select max(v.version)
    from core.class as c join core.ontology_version as v on v.ontology_id = c.ontology_id
    where c.class_id = class;
end;
comment on function core.newest_version(bigint) is 'The newest version of the ontology of a class.';

create function core.keep_class() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if (new.parent_class_id, new.kinds, new.skeleton, new.is_open)
        is distinct from (old.parent_class_id, old.kinds, old.skeleton, old.is_open) then
        if new.changed_in is null or new.changed_in <= coalesce(old.changed_in, old.version_from)
            or new.changed_in <> core.newest_version(old.class_id) then
            raise exception 'class % can change only in a new version of its ontology', old.name
                using errcode = 'SD003', hint = 'versions never change: smartdb ontology change makes the next';
        end if;
        insert into core.former_class
        values (
            old.class_id, coalesce(old.changed_in, old.version_from), new.changed_in,
            old.parent_class_id, old.kinds, old.skeleton, old.is_open);
    end if;
    if (new.version_from, new.version_to) is distinct from (old.version_from, old.version_to)
        and (old.version_to is not null or new.version_from <> old.version_from
            or new.version_to is distinct from core.newest_version(old.class_id)) then
        raise exception 'class % can be retired only in a new version of its ontology, once', old.name
            using errcode = 'SD003', hint = 'versions never change: smartdb ontology change makes the next';
    end if;
    return new;
end
$$;
comment on function core.keep_class() is
    'Row trigger: a class changes only together with a new version, and what it was stays in core.former_class.';
create trigger keep_class before update on core.class
    for each row execute function core.keep_class();

-- Annotating: what was said about media. Labels are versioned rows.

create sequence core.label_object as bigint;
comment on sequence core.label_object is 'Numbers the labelled things, whose identity outlives edits of their label.';

create table core.label (
    label_id bigint generated always as identity,
    object_id bigint not null default nextval('core.label_object'),
    media_id bigint not null,
    class_id bigint not null,
    kind text not null default 'classification',
    x double precision,
    y double precision,
    w double precision,
    h double precision,
    shape jsonb,
    attributes jsonb,
    track_id bigint,
    subject_id bigint,
    target_id bigint,
    origin text not null,
    actor_id bigint not null,
    confidence real,
    task_id bigint,
    run_id bigint,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint label_pk primary key (label_id),
    constraint label_kind_check check (kind in (
        'classification', 'box', 'rotated_box', 'polygon', 'mask', 'polyline', 'keypoints', 'caption', 'relation')),
    constraint label_origin_check check (origin in ('human', 'import', 'consensus', 'model', 'propagated')),
    constraint label_box_check check (
        case when rev_to is not null and num_nonnulls(x, y, w, h, shape, attributes, subject_id, target_id) = 0 then true -- erased
        else case kind
            when 'classification' then num_nonnulls(x, y, w, h, shape) = 0
            when 'relation' then num_nonnulls(x, y, w, h, shape) = 0
            when 'caption' then num_nonnulls(x, y, w, h) = 0 and shape ? 'text'
            when 'box' then num_nulls(x, y, w, h) = 0 and w > 0 and h > 0
            else num_nulls(x, y, w, h, shape) = 0 and w >= 0 and h >= 0
        end end),
    constraint label_finite_check check (
        abs(x) < 'infinity' and abs(y) < 'infinity' and w < 'infinity' and h < 'infinity'),
    constraint label_shape_check check (
        -- run lengths of files were decoded before they came here (smartdb.import_rows): 1 ms each in SQL
        shape is null or (kind = 'mask' and origin = 'import') or core.shape_problem(kind, null, null, null, null, shape) is null),
    constraint label_relation_check check (
        case when kind = 'relation'
            then rev_to is not null or (num_nulls(subject_id, target_id) = 0 and subject_id <> target_id)
            else num_nonnulls(subject_id, target_id) = 0 end),
    constraint label_confidence_check check (confidence between 0 and 1),
    constraint label_rev_check check (rev_to > rev_from)
);
-- Bulk loads pay for every index: each one below is asked, and the rows of a run lie together.
create unique index label_object_key on core.label (object_id, rev_to) nulls not distinct;
create unique index label_classification_key on core.label (media_id, actor_id, class_id)
    where rev_to is null and kind = 'classification';
create index label_media_idx on core.label (media_id);
create index label_class_idx on core.label (class_id) where rev_to is null;
create index label_actor_idx on core.label (actor_id) where origin = 'human';
create index label_task_idx on core.label (task_id) where task_id is not null;
create index label_run_idx on core.label using brin (run_id);
create index label_rev_from_idx on core.label (rev_from);
create index label_rev_to_idx on core.label (rev_to) where rev_to is not null;
create index label_subject_idx on core.label (subject_id) where subject_id is not null;
create index label_target_idx on core.label (target_id) where target_id is not null;
call core.make_versioned('core.label');
call core.protect('core.label');

create function core.is_said_before(l core.label) returns boolean
language sql stable
return exists (
    select from core.media as m
    join core.label as p on p.media_id in (m.media_id, m.parent_media_id) and p.label_id < l.label_id
    where m.media_id = l.media_id
        and (p.kind, p.x, p.y, p.w, p.h, p.shape, p.subject_id, p.target_id)
        is not distinct from (l.kind, l.x, l.y, l.w, l.h, l.shape, l.subject_id, l.target_id)
);
comment on function core.is_said_before(core.label) is
    'Whether the same geometry or ends were said of the media, or of what it was made of, before: a correction of the class, a roll '
    'back, a clean copy leave them as they were.';

create function core.video_of(media bigint) returns bigint
language sql stable
return (select case m.kind when 'frame' then m.parent_media_id else m.media_id end from core.media as m where m.media_id = media);
comment on function core.video_of(bigint) is 'The video that a media is a frame of, else the media itself.';

create function core.misplaced(l core.label) returns text
language sql stable
return (
    select coalesce(
        core.place_problem(l.kind, case when l.origin = 'human' then l.x end, l.y, l.w, l.h, l.shape, m.width, m.height),
        case when l.origin = 'human' then core.shape_problem(l.kind, l.x, l.y, l.w, l.h, l.shape) end
    )
    from core.media as m where m.media_id = l.media_id
);
comment on function core.misplaced(core.label) is
    'In what the place of a label disagrees with its picture, for a person; null if in nothing. What files, models and the like say '
    'may lie partly outside; what a person says may not.';

create function core.check_labels() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    l core.label;
begin
    for l in -- few: of what files say only the masks
        select c.* from changed as c where c.kind in ('mask', 'relation') or (c.origin = 'human' and c.x is not null)
    loop
        if l.kind = 'relation' then
            if not exists (
                select from core.label as s join core.label as t on t.object_id = l.target_id and t.rev_to is null and t.kind <> 'relation'
                where s.object_id = l.subject_id and s.rev_to is null and s.kind <> 'relation'
                    and core.video_of(s.media_id) = core.video_of(l.media_id) and core.video_of(t.media_id) = core.video_of(l.media_id)
            ) and not core.is_said_before(l) then
                raise exception 'the relation between % and % is not between two live labels of media %', l.subject_id, l.target_id, l.media_id
                    using errcode = 'SD002', hint = 'give object_ids of smartdb.label, of the same media or of frames of the same video';
            end if;
        elsif core.misplaced(l) is not null and not core.is_said_before(l) then
            raise exception 'a % of media % cannot be so: %', l.kind, l.media_id, core.misplaced(l)
                using errcode = 'SD002', hint = 'draw it within the picture; pixels are those of the upright one';
        end if;
    end loop;
    if exists (select from core.tombstone) and exists (select from changed as c join core.tombstone as t on t.media_id = c.media_id) then
        raise exception 'media % was erased', (select min(c.media_id) from changed as c join core.tombstone as t on t.media_id = c.media_id)
            using errcode = 'SD001', hint = 'nothing can be said of it any more; see: select * from smartdb.tombstone';
    end if;
    return null;
end
$$;
comment on function core.check_labels() is
    'Statement trigger of labels: what people draw lies within the picture, masks are of its size, relations lead to live labels, '
    'and nothing is said of an erased media.';
create trigger check_on_insert after insert on core.label referencing new table as changed
for each statement execute function core.check_labels();

comment on table core.label is
    'What an actor says about a media. Never edited: an edit closes the row (rev_to) and opens '
    'another with the same object_id; live rows have rev_to null.';
comment on column core.label.label_id is 'Identity of this row, that is of one state of the label.';
comment on column core.label.object_id is 'Identity of the labelled thing across edits.';
comment on column core.label.media_id is 'The labelled media.';
comment on column core.label.class_id is 'The class it was given.';
comment on column core.label.kind is
    'classification (the whole media), caption, box, rotated_box, polygon, mask, polyline, keypoints, or relation (between two '
    'labelled things).';
comment on column core.label.x is 'Left edge of the bounding box in pixels of the upright image.';
comment on column core.label.y is 'Top edge of the bounding box in pixels of the upright image.';
comment on column core.label.w is 'Width of the bounding box in pixels.';
comment on column core.label.h is 'Height of the bounding box in pixels.';
comment on column core.label.shape is
    'polygon: {"polygons": [[outer, hole, ...], ...]}, a ring is [[x, y], ...]; mask: COCO run lengths '
    '{"size": [h, w], "counts": text}; rotated_box: {"corners": four [x, y]}; polyline: {"points": [[x, y], ...]}; '
    'keypoints: {"points": [[x, y, visibility], ...]}; caption: {"text": ...}. Pixels of the upright image, not rounded.';
comment on column core.label.attributes is 'Attributes, by the class''s attribute schema.';
comment on column core.label.track_id is 'The same thing over the frames of a video.';
comment on column core.label.subject_id is 'Of a relation, the object_id of what it is said of: in "man rides horse" the man.';
comment on column core.label.target_id is 'Of a relation, the object_id of the other end: the horse.';
comment on column core.label.origin is
    'human, import (came with the files), consensus, model or propagated; the last two are never '
    'taken for a person''s word.';
comment on column core.label.actor_id is 'Who said it.';
comment on column core.label.confidence is 'How sure the actor was, 0 to 1; null is not said.';
comment on column core.label.task_id is 'The task it answered.';
comment on column core.label.run_id is 'The run that wrote it, if one did.';
comment on column core.label.created_at is 'When it was written, for people; order is told by rev_from.';
comment on column core.label.rev_from is 'Revision at which this row became true.';
comment on column core.label.rev_to is 'Revision at which it ceased to be; null while it is live.';

-- Managing: vectors of regions, in one typed table for each encoder, keyed by label row. An edit of a
-- box is another row of core.label, so no vector is ever of another box than the one that is live.

call core.make_checker('region_embedding_refers', '{
    {label_id, core.label, label_id},
    {media_id, core.media, media_id}
}');

create table core.region_crop (
    encoder_id bigint not null,
    margin double precision not null,
    created_at timestamptz not null default now(),
    constraint region_crop_pk primary key (encoder_id),
    constraint region_crop_margin_check check (margin between 0 and 2),
    constraint region_crop_encoder_fk foreign key (encoder_id)
        references core.encoder (encoder_id) on delete restrict
);
comment on table core.region_crop is
    'How regions are cut out for an encoder, said once, with its first region: vectors of other crops cannot be compared.';
comment on column core.region_crop.encoder_id is 'The encoder.';
comment on column core.region_crop.margin is
    'What a region is widened by on each side, as a share of its own width and height.';
comment on column core.region_crop.created_at is 'When it was said.';

create function core.expose_regions(id bigint) returns void
language plpgsql as $$
begin
    execute format(
        'create view smartdb.region_embedding_%1$s as
         select r.label_id, r.media_id, r.v
         from core.region_embedding_%1$s as r
         join core.label as l on l.label_id = r.label_id
         where l.rev_to is null', id);
    execute format(
        'comment on view smartdb.region_embedding_%s is %L', id,
        'Unit vectors of the live regions by encoder ' || (select e.name from core.encoder as e where e.encoder_id = id)
        || ', one row a label: order by v <=> query for cosine distance.');
    execute format('comment on column smartdb.region_embedding_%s.label_id is %L', id, 'The label of the region.');
    execute format('comment on column smartdb.region_embedding_%s.media_id is %L', id, 'The media it is in.');
    execute format('comment on column smartdb.region_embedding_%s.v is %L', id, 'Its vector, of length 1.');
    execute format('grant select on smartdb.region_embedding_%s to smartdb_reader', id);
end
$$;
comment on function core.expose_regions(bigint) is
    'Makes the interface view smartdb.region_embedding_<id>; called by core.expose_encoder.';

create function core.add_region_embedding(id bigint) returns void
language plpgsql as $$
declare
    e core.encoder;
begin
    select * into strict e from core.encoder as r where r.encoder_id = id;
    execute format(
        'create table core.region_embedding_%1$s (
             label_id bigint not null,
             media_id bigint not null,
             v halfvec(%2$s) not null,
             constraint region_embedding_%1$s_pk primary key (label_id))', id, e.dim);
    execute format('create index region_embedding_%1$s_media_idx on core.region_embedding_%1$s (media_id)', id);
    execute format('call core.attach_checker(%L, ''region_embedding_refers'')', 'core.region_embedding_' || id);
    execute format('alter table core.region_embedding_%s alter column v set storage plain', id);
    execute format('comment on table core.region_embedding_%s is %L', id,
        'Vectors of regions by encoder ' || e.name || ', normalised to length 1.');
    execute format('call core.protect(%L)', 'core.region_embedding_' || id);
    execute format('grant select, insert, delete on core.region_embedding_%s to smartdb_writer', id);
end
$$;
comment on function core.add_region_embedding(bigint) is
    'Makes the table of region vectors of an encoder; called by core.add_encoder.';

create function core.index_regions(id bigint) returns void
language sql security definer set search_path = pg_catalog, public
begin atomic
    select core.index_vectors('region_embedding_' || e.encoder_id, e.dim)
    from core.encoder as e where e.encoder_id = id;
end;
comment on function core.index_regions(bigint) is
    'Builds the HNSW index (cosine) of an encoder''s region vectors; when it is worth it, see core.index_encoder.';

-- Annotating: what labels say of a thing besides its class, and the check of every new label.

create table core.class_attribute (
    attribute_id bigint generated always as identity,
    class_id bigint not null,
    name text not null,
    type text not null,
    choices text[],
    minimum double precision,
    maximum double precision,
    is_required boolean not null default false,
    condition jsonb,
    note text,
    place integer not null default 1,
    version_from integer not null,
    version_to integer,
    replaces_attribute_id bigint,
    constraint class_attribute_pk primary key (attribute_id),
    constraint class_attribute_name_check check (name <> ''),
    constraint class_attribute_type_check check (type in ('text', 'number', 'choice', 'multi', 'boolean')),
    constraint class_attribute_choices_check check ((type in ('choice', 'multi')) = (coalesce(cardinality(choices), 0) > 0)),
    constraint class_attribute_range_check check (
        (type = 'number' or num_nonnulls(minimum, maximum) = 0) and (minimum <= maximum) is not false),
    constraint class_attribute_condition_check check (jsonb_typeof(condition) = 'object'),
    constraint class_attribute_version_check check (version_to > version_from),
    constraint class_attribute_class_fk foreign key (class_id)
        references core.class (class_id) on delete restrict,
    constraint class_attribute_replaces_fk foreign key (replaces_attribute_id)
        references core.class_attribute (attribute_id) on delete restrict
);
create unique index class_attribute_name_key on core.class_attribute (class_id, name) where version_to is null;
create index class_attribute_class_idx on core.class_attribute (class_id);
create index class_attribute_replaces_idx on core.class_attribute (replaces_attribute_id)
    where replaces_attribute_id is not null;
comment on table core.class_attribute is
    'Attributes of a class; in version v if version_from <= v and (version_to is null or version_to > v).';
comment on column core.class_attribute.attribute_id is 'Identity of this state of the attribute.';
comment on column core.class_attribute.class_id is 'The class whose labels carry it.';
comment on column core.class_attribute.name is 'Name, unique among the attributes of the class.';
comment on column core.class_attribute.type is 'text, number, choice (one of), multi (some of) or boolean.';
comment on column core.class_attribute.choices is 'What may be chosen, in the order in which people see it.';
comment on column core.class_attribute.minimum is 'Least number that is allowed; null: no limit.';
comment on column core.class_attribute.maximum is 'Greatest number that is allowed; null: no limit.';
comment on column core.class_attribute.is_required is 'Whether a label must carry it, where its condition holds.';
comment on column core.class_attribute.condition is
    'Other attributes with the values at which this one may be given: {"breed": ["pug", "poodle"]}; null: always.';
comment on column core.class_attribute.note is 'What annotators read about it.';
comment on column core.class_attribute.place is 'Its place in the form, from 1.';
comment on column core.class_attribute.version_from is 'First version that has it so.';
comment on column core.class_attribute.version_to is 'First version that no longer has it so; null: it is in use.';
comment on column core.class_attribute.replaces_attribute_id is 'What it was before it changed or got its name.';

create function core.keep_attribute() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_op = 'UPDATE' then
        if old.version_to is not null or new.version_to is distinct from core.newest_version(old.class_id) then
            raise exception 'attribute % can change only in a new version of its ontology', old.name
                using errcode = 'SD003', hint = 'versions never change: smartdb ontology change makes the next';
        end if;
    elsif new.version_from <> core.newest_version(new.class_id) then
        raise exception 'attribute % belongs to an old version of its ontology', new.name
            using errcode = 'SD003', hint = 'versions never change: smartdb ontology change makes the next';
    end if;
    return new;
end
$$;
comment on function core.keep_attribute() is 'Row trigger: attributes come and go only with a new version.';
create trigger keep_attribute before insert or update on core.class_attribute
    for each row execute function core.keep_attribute();

create function core.meets(attributes jsonb, condition jsonb) returns boolean
language sql immutable parallel safe
return condition is null or not exists (
    select from jsonb_each(condition) as c (name, allowed)
    where not coalesce(
        case jsonb_typeof(attributes -> c.name)
            when 'array' then exists (
                select from jsonb_array_elements(attributes -> c.name) as e (one) where c.allowed @> e.one
            )
            else c.allowed @> (attributes -> c.name)
        end, false)
);
comment on function core.meets(jsonb, jsonb) is
    'Whether attributes have, for each name of the condition, one of the values beside it. Null condition: true.';

create function core.is_unfit(
    value jsonb, type text, choices text[], minimum double precision, maximum double precision
) returns boolean
language sql immutable parallel safe -- an expression that is taken into the query that calls it
return case type
    when 'number' then case
        when jsonb_typeof(value) <> 'number' then true
        else value < coalesce(to_jsonb(minimum), value) or value > coalesce(to_jsonb(maximum), value)
    end
    when 'choice' then jsonb_typeof(value) <> 'string' or (value #>> '{}') <> all (choices)
    when 'multi' then jsonb_typeof(value) <> 'array' or not to_jsonb(choices) @> value
    else jsonb_typeof(value) <> case type when 'text' then 'string' else 'boolean' end
end;
comment on function core.is_unfit(jsonb, text, text[], double precision, double precision) is
    'Whether an attribute of this type, choices and range cannot have the value.';

create function core.attribute_problems(class bigint, given jsonb)
returns table (attribute text, problem text, allowed text)
language sql stable
begin atomic
    select
        e.name,
        case
            when a.attribute_id is null then 'is not an attribute of the class'
            when not core.meets(given, a.condition) then 'is given though ' || a.condition::text || ' does not hold'
            else 'is ' || e.value::text
        end,
        case
            when a.attribute_id is null then coalesce((
                select string_agg(quote_literal(o.name), ', ' order by o.place) from core.class_attribute as o
                where o.class_id = class and o.version_to is null), 'none')
            when not core.meets(given, a.condition) then 'leave it out'
            else concat_ws(
                ' ', case a.type when 'multi' then 'a list of' when 'choice' then 'one of' else 'a ' || a.type end,
                array_to_string(a.choices, ', '), 'from ' || a.minimum, 'to ' || a.maximum)
        end
    from jsonb_each(given) as e (name, value)
    left join core.class_attribute as a on a.class_id = class and a.name = e.name and a.version_to is null
    where
        case
            when a.attribute_id is null then
                not (select c.is_open from core.class as c where c.class_id = class)
            else core.is_unfit(e.value, a.type, a.choices, a.minimum, a.maximum)
                or (a.condition is not null and not core.meets(given, a.condition))
        end
    union all
    select
        a.name, 'is missing',
        concat_ws(
            ' ', case a.type when 'multi' then 'a list of' when 'choice' then 'one of' else 'a ' || a.type end,
            array_to_string(a.choices, ', '), 'from ' || a.minimum, 'to ' || a.maximum)
    from core.class_attribute as a
    where
        a.class_id = class and a.version_to is null and a.is_required
        and not coalesce(given, '{}') ? a.name and core.meets(coalesce(given, '{}'), a.condition);
end;
comment on function core.attribute_problems(bigint, jsonb) is
    'What the newest version of its class has against the attributes of a label, and what it would allow; no row: nothing.';

create function core.label_problem(class bigint, kind text, attributes jsonb, shape jsonb) returns text
language sql stable security definer
begin atomic
    select case
        when c.version_to is not null then format(
            'class %L was retired in version %s of ontology %L; %s', c.name, c.version_to, o.name,
            coalesce((
                select 'it is now called ' || quote_literal(n.name) from core.class as n
                where n.replaces_class_id = c.class_id limit 1), 'choose another class'))
        when label_problem.kind <> all (c.kinds) then format(
            'class %L of ontology %L takes no label of kind %s; allowed: %s', c.name, o.name, label_problem.kind,
            array_to_string(c.kinds, ', '))
        when label_problem.kind = 'keypoints' and jsonb_array_length(shape -> 'points')
            <> jsonb_array_length(c.skeleton -> 'points') then format(
            'class %L of ontology %L has %s keypoints, not %s: %s', c.name, o.name,
            jsonb_array_length(c.skeleton -> 'points'), jsonb_array_length(shape -> 'points'),
            (select string_agg(p.name, ', ') from jsonb_array_elements_text(c.skeleton -> 'points') as p (name)))
        else (
            select format(
                'attribute %L of class %L of ontology %L %s; allowed: %s', p.attribute, c.name, o.name,
                p.problem, p.allowed)
            from core.attribute_problems(c.class_id, attributes) as p
            order by p.attribute limit 1)
    end
    from core.class as c join core.ontology as o on o.ontology_id = c.ontology_id
    where c.class_id = class;
end;
comment on function core.label_problem(bigint, text, jsonb, jsonb) is
    'What the newest version of its ontology has against a label, in words; null: nothing.';

create function core.fit_labels() returns trigger
language plpgsql security definer set search_path = pg_catalog
set enable_sort = off as $$ -- a few classes of many rows: hashed
declare
    bad record;
    ruled bigint[];
begin
    with said as (select distinct c.class_id, c.kind from changed as c)
    select
        coalesce(bool_or(k.version_to is not null or s.kind <> all (k.kinds)), false) as is_any,
        array_agg(k.class_id) filter (where not k.is_open or exists (
            select from core.class_attribute as a where a.class_id = k.class_id and a.version_to is null
        )) as ruled,
        coalesce(bool_or(s.kind = 'keypoints' and k.skeleton is not null), false) as has_skeleton
    into bad
    from said as s join core.class as k on k.class_id = s.class_id;
    ruled := bad.ruled;
    if bad.is_any or bad.has_skeleton then
        select c.media_id, core.label_problem(c.class_id, c.kind, null, c.shape) as problem into bad
        from changed as c join core.class as k on k.class_id = c.class_id
        where k.version_to is not null or c.kind <> all (k.kinds)
            or (c.kind = 'keypoints' and jsonb_array_length(c.shape -> 'points')
                <> jsonb_array_length(k.skeleton -> 'points'))
        limit 1;
        if found then
            perform core.refuse_label(bad.media_id, bad.problem);
        end if;
    end if;
    if ruled is not null then
        with said as materialized (
            select distinct c.class_id, c.attributes from changed as c where c.class_id = any (ruled)
        )
        select s.class_id, s.attributes into bad
        from said as s
        cross join lateral jsonb_each(s.attributes) as e (name, value)
        join core.class as k on k.class_id = s.class_id
        left join core.class_attribute as a
            on a.class_id = s.class_id and a.name = e.name and a.version_to is null
        where case
            when a.attribute_id is null then not k.is_open
            else core.is_unfit(e.value, a.type, a.choices, a.minimum, a.maximum)
                or (a.condition is not null and not core.meets(s.attributes, a.condition))
        end
        union all
        select s.class_id, s.attributes
        from said as s
        join core.class_attribute as a on a.class_id = s.class_id and a.version_to is null and a.is_required
        where not coalesce(s.attributes, '{}') ? a.name
            and (a.condition is null or core.meets(coalesce(s.attributes, '{}'), a.condition))
        limit 1;
        if found then
            perform core.refuse_label(c.media_id, core.label_problem(c.class_id, c.kind, c.attributes, null))
            from changed as c
            where c.class_id = bad.class_id and c.attributes is not distinct from bad.attributes
            limit 1;
        end if;
    end if;
    return null;
end
$$;
comment on function core.fit_labels() is
    'Statement trigger: new labels are what the newest version of their ontology allows. Each class, kind and set of '
    'attributes is looked at once, however many labels say it; rows that are there are never looked at again.';

create function core.refuse_label(media bigint, problem text) returns void
language plpgsql as $$
begin
    raise exception 'label of media %: %', media, problem
        using errcode = 'SD002', hint = 'see: select * from smartdb.class_attribute, or smartdb ontology show';
end
$$;
comment on function core.refuse_label(bigint, text) is 'Raises SD002 for a label that its ontology does not allow.';

create trigger fits_ontology after insert on core.label referencing new table as changed
    for each statement execute function core.fit_labels();

-- Annotating: what becomes of the labels of a class when a new version of its ontology changes it.

create table core.class_rule (
    rule_id bigint generated always as identity,
    ontology_id bigint not null,
    version integer not null,
    place integer not null,
    class_id bigint not null,
    kind text,
    condition jsonb,
    target_class_id bigint,
    renamed jsonb,
    revalued jsonb,
    given jsonb,
    constraint class_rule_pk primary key (rule_id),
    constraint class_rule_key unique (ontology_id, version, place),
    constraint class_rule_condition_check check (jsonb_typeof(condition) = 'object'),
    constraint class_rule_renamed_check check (jsonb_typeof(renamed) = 'object'),
    constraint class_rule_revalued_check check (jsonb_typeof(revalued) = 'object'),
    constraint class_rule_given_check check (jsonb_typeof(given) = 'object'),
    constraint class_rule_version_fk foreign key (ontology_id, version)
        references core.ontology_version (ontology_id, version) on delete restrict,
    constraint class_rule_class_fk foreign key (class_id)
        references core.class (class_id) on delete restrict,
    constraint class_rule_target_fk foreign key (target_class_id)
        references core.class (class_id) on delete restrict
);
create index class_rule_class_idx on core.class_rule (class_id);
create index class_rule_target_idx on core.class_rule (target_class_id);
comment on table core.class_rule is
    'Mapping of labels to a version of their ontology: of the rules of its class, the first that fits a label written before '
    'the version says what it becomes. Rules never change.';
comment on column core.class_rule.rule_id is 'Identity of the rule.';
comment on column core.class_rule.ontology_id is 'The ontology.';
comment on column core.class_rule.version is 'The version whose change it explains.';
comment on column core.class_rule.place is 'Its place among the rules of the version, from 1.';
comment on column core.class_rule.class_id is 'The class of the labels it is about.';
comment on column core.class_rule.kind is 'Only labels of this kind; null: of any.';
comment on column core.class_rule.condition is
    'Only labels with one of these values of each attribute, {"type": ["car", "van"]}; null: all.';
comment on column core.class_rule.target_class_id is 'The class they become; null: none, they stay as they are and are listed.';
comment on column core.class_rule.renamed is 'New names of attributes, {"race": "breed"}; null as a name drops the attribute.';
comment on column core.class_rule.revalued is
    'New values by the old name of the attribute, {"race": {"poodel": "poodle"}}; null as a value drops it.';
comment on column core.class_rule.given is 'Attributes that they get besides, {"age": "young"}.';

create function core.keep_rule() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_op = 'INSERT' then
        if new.version <> core.newest_version(new.class_id) then
            raise exception 'rule of version %, which is not the newest of its ontology', new.version
                using errcode = 'SD003', hint = 'versions never change: smartdb ontology change makes the next';
        end if;
        return new;
    end if;
    raise exception 'rules of a version of an ontology never change'
        using errcode = 'SD003', hint = 'make a new version: smartdb ontology change';
end
$$;
comment on function core.keep_rule() is 'Row trigger: rules are written with their version, and stay.';
create trigger keep_rule before insert or update or delete on core.class_rule
    for each row execute function core.keep_rule();

create function core.migrated_attributes(attributes jsonb, renamed jsonb, revalued jsonb, given jsonb) returns jsonb
language sql immutable parallel safe
return case
    when num_nonnulls(renamed, revalued, given) = 0 then attributes
    else nullif(
        coalesce((
            select jsonb_object_agg(coalesce(renamed ->> v.name, v.name), v.value)
            from (
                select
                    e.name,
                    case
                        when revalued -> e.name is null then e.value
                        when jsonb_typeof(e.value) = 'array' then (
                            select jsonb_agg(coalesce(revalued -> e.name -> (i.one #>> '{}'), i.one) order by i.place)
                                filter (where jsonb_typeof(coalesce(revalued -> e.name -> (i.one #>> '{}'), i.one)) <> 'null')
                            from jsonb_array_elements(e.value) with ordinality as i (one, place)
                        )
                        else coalesce(revalued -> e.name -> (e.value #>> '{}'), e.value)
                    end as value
                from jsonb_each(attributes) as e (name, value)
            ) as v
            where jsonb_typeof(v.value) <> 'null' and jsonb_typeof(renamed -> v.name) is distinct from 'null'
        ), '{}') || coalesce(given, '{}'), '{}')
end;
comment on function core.migrated_attributes(jsonb, jsonb, jsonb, jsonb) is
    'Attributes of a label with new values (by old names), then new names, then those that are given besides.';

-- Annotating: how the class names of an imported file were read, saved so that the next import reads them alike.

create table core.class_mapping (
    mapping_id bigint generated always as identity,
    name text not null,
    ontology_id bigint not null,
    given text not null,
    class_id bigint,
    created_at timestamptz not null default now(),
    constraint class_mapping_pk primary key (mapping_id),
    constraint class_mapping_key unique (name, ontology_id, given),
    constraint class_mapping_name_check check (name <> ''),
    constraint class_mapping_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict,
    constraint class_mapping_class_fk foreign key (class_id)
        references core.class (class_id) on delete restrict
);
create index class_mapping_ontology_idx on core.class_mapping (ontology_id);
create index class_mapping_class_idx on core.class_mapping (class_id);
comment on table core.class_mapping is 'Named mappings from class names of files to classes of an ontology.';
comment on column core.class_mapping.mapping_id is 'Identity of the row.';
comment on column core.class_mapping.name is 'Name of the mapping it belongs to.';
comment on column core.class_mapping.ontology_id is 'The ontology it leads to.';
comment on column core.class_mapping.given is 'Class name in the files.';
comment on column core.class_mapping.class_id is 'The class it means; null: such labels are left out, on purpose.';
comment on column core.class_mapping.created_at is 'When it was saved.';

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

-- Annotating: every row of an imported file that could not go in, or went in and is odd.

create table core.import_problem (
    import_problem_id bigint generated always as identity,
    run_id bigint not null,
    uri text not null,
    place text not null,
    reason text not null,
    detail text not null,
    is_warning boolean not null,
    constraint import_problem_pk primary key (import_problem_id),
    constraint import_problem_reason_check check (reason ~ '^[a-z_]+$'),
    constraint import_problem_run_fk foreign key (run_id)
        references core.run (run_id) on delete restrict
);
create index import_problem_run_idx on core.import_problem (run_id);
create index import_problem_uri_idx on core.import_problem (uri);
comment on table core.import_problem is
    'What was wrong in a file of labels at its last import. Nothing is left out without a row.';
comment on column core.import_problem.import_problem_id is 'Identity of the problem.';
comment on column core.import_problem.run_id is 'The import that found it.';
comment on column core.import_problem.uri is 'The file or folder that was imported, as a URI.';
comment on column core.import_problem.place is 'Where in it: a file, a line or an id.';
comment on column core.import_problem.reason is
    'Stable code: broken_file, missing_image, ambiguous_image, orphan_label, duplicate_id, unknown_category, '
    'zero_size, not_a_number, outside, size_differs, bad_shape, bad_row, unsafe_path, unsupported, not_in_file.';
comment on column core.import_problem.detail is 'A sentence for a person.';
comment on column core.import_problem.is_warning is 'Whether it went in all the same.';

create function core.label_content(
    class_id bigint, kind text, x double precision, y double precision, w double precision,
    h double precision, shape jsonb, attributes jsonb
) returns bigint
language sql immutable parallel safe
return hash_record_extended(
    case kind
        when 'classification'
            then row (class_id, kind, null::float8, null::float8, null::float8, null::float8, null::jsonb, null::jsonb)
        else row (class_id, kind, x, y, w, h, shape, nullif(attributes, '{}'))
    end, 0);
comment on function core.label_content(
    bigint, text, double precision, double precision, double precision, double precision, jsonb, jsonb
) is
    'A hash of what a label says of its media, by which an import knows what it has said before. A class '
    'is said once of a media, whatever the attributes.';

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

-- Full text: what is written about each media, in captions, attributes and the names of its files,
-- as one document. Triggers write it in the transaction of what it is made of, so it is never
-- stale. No row-level security: a policy would keep `@@` from the index, because that operator is
-- not leakproof. Nobody but core.text_match may read it, and that leaves restricted media out.

create table core.media_text (
    media_id bigint not null,
    document tsvector not null,
    constraint media_text_pk primary key (media_id)
);
create index media_text_document_idx on core.media_text using gin (document);
comment on table core.media_text is 'What is written about each media, to be searched by words.';
comment on column core.media_text.media_id is 'The media.';
comment on column core.media_text.document is
    'Stems of English words: of its captions (weight A), its attributes (B), the paths of its files (C).';

create function core.path_words(uri text) returns text
language plpgsql immutable parallel safe as $$
declare
    path text := substr(uri, strpos(uri, '://') + 3);
begin
    if strpos(path, '%') > 0 then
        begin
            select convert_from(decode(string_agg(
                case when p.part[1] ~ '^%[0-9A-Fa-f]{2}$' then substr(p.part[1], 2)
                    else encode(convert_to(p.part[1], 'UTF8'), 'hex') end, '' order by p.place), 'hex'), 'UTF8')
            into path
            from regexp_matches(path, '%[0-9A-Fa-f]{2}|[^%]+|%', 'g') with ordinality as p (part, place);
        exception when character_not_in_repertoire or untranslatable_character then -- no name in UTF-8
            path := regexp_replace(path, '%[0-9A-Fa-f]{2}', ' ', 'g');
        end;
    end if;
    return translate(path, '/\._-+=#&?:', '           ');
end
$$;
comment on function core.path_words(text) is
    'The words of a URI''s path: percent-decoded, and parted where file names part them.';

create function core.media_document(ids bigint[]) returns table (media_id bigint, document tsvector)
language sql stable
begin atomic
    select
        m.media_id,
        setweight(to_tsvector('english', coalesce(c.words, '')), 'A')
        || setweight(case
            when m.attributes = '{}' or pg_column_size(m.attributes) > 65536 then '' -- a tsvector holds 1 MB
            else jsonb_to_tsvector('english', m.attributes, '["key", "string", "numeric"]')
        end, 'B')
        || setweight(to_tsvector('english', coalesce(p.words, '')), 'C')
    from core.media as m
    left join lateral (
        select left(string_agg(l.shape ->> 'text', ' ' order by l.label_id), 200000) as words from core.label as l
        where l.media_id = m.media_id and l.kind = 'caption' and l.rev_to is null
    ) as c on true
    left join lateral (
        select left(string_agg(core.path_words(l.uri), ' ' order by l.uri), 200000) as words
        from core.media_location as l
        where l.media_id = m.media_id and not l.is_managed
    ) as p on true
    where m.media_id = any (ids) and m.erased_at is null;
end;
comment on function core.media_document(bigint[]) is 'The documents of media as they should be now; none of erased ones.';

create function core.index_text(ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    known bigint[];
begin
    with made as (
        insert into core.media_text (media_id, document)
        select d.media_id, d.document from core.media_document(ids) as d order by d.media_id
        on conflict (media_id) do nothing
        returning media_id
    )
    select array_agg(i.id) into known
    from unnest(ids) as i (id) where i.id not in (select m.media_id from made as m);
    if known is not null then -- who writes them at the same time is waited for, then seen
        perform from core.media_text as t where t.media_id = any (known) order by t.media_id for update;
        update core.media_text as t set document = d.document
        from core.media_document(known) as d
        where t.media_id = d.media_id and t.document <> d.document;
    end if;
end
$$;
comment on function core.index_text(bigint[]) is 'Writes the documents of media anew.';

create function core.index_located() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform core.index_text(array(select distinct c.media_id from changed as c));
    return null;
end
$$;
comment on function core.index_located() is 'Statement trigger of locations: writes the documents of the media that lie there.';
create trigger index_located after insert on core.media_location referencing new table as changed
for each statement execute function core.index_located();

create function core.index_moved() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform core.index_text(array[old.media_id, new.media_id]);
    return null;
end
$$;
comment on function core.index_moved() is 'Row trigger of locations: the file holds another media now.';
create trigger index_moved after update of media_id on core.media_location
for each row when (old.media_id <> new.media_id) execute function core.index_moved();

create function core.index_described() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform core.index_text(array(
        select c.media_id from changed as c join before as b on b.media_id = c.media_id
        where c.attributes <> b.attributes));
    return null;
end
$$;
comment on function core.index_described() is 'Statement trigger of media: writes the documents of those whose attributes changed.';
create trigger index_described after update on core.media
referencing old table as before new table as changed
for each statement execute function core.index_described();

create function core.index_captioned() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    ids constant bigint[] := array(select distinct c.media_id from changed as c where c.kind = 'caption');
begin
    if cardinality(ids) > 0 then
        perform core.index_text(ids);
    end if;
    return null;
end
$$;
comment on function core.index_captioned() is 'Statement trigger of labels: writes the documents of the media with new captions.';
create trigger index_captioned after insert on core.label referencing new table as changed
for each statement execute function core.index_captioned();

create function core.index_retracted() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform core.index_text(array[new.media_id]);
    return null;
end
$$;
comment on function core.index_retracted() is 'Row trigger of labels: a caption was closed.';
create trigger index_retracted after update on core.label
for each row when (old.kind = 'caption' and old.rev_to is null and new.rev_to is not null)
execute function core.index_retracted();

create function core.text_match(query tsquery, n bigint default null)
returns table (media_id bigint, score real)
language sql stable security definer rows 1000
begin atomic
    select t.media_id, ts_rank(t.document, query, 1)
    from core.media_text as t
    where t.document @@ query and t.media_id not in (select r.media_id from core.restriction as r)
    order by 2 desc, 1
    limit n;
end;
comment on function core.text_match(tsquery, bigint) is
    'The media whose documents match, best first (ts_rank, divided by 1 + log of the length), the first n or all; restricted '
    'ones never.';

-- What samplers chose to work on next.

create table core.batch (
    batch_id bigint generated always as identity,
    strategy text not null,
    parameters jsonb not null default '{}',
    seed bigint not null,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint batch_pk primary key (batch_id),
    constraint batch_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
create index batch_run_idx on core.batch (run_id);
comment on table core.batch is 'What a sampler chose to work on next.';
comment on column core.batch.batch_id is 'Identity of the batch.';
comment on column core.batch.strategy is 'How it was chosen, for instance uncertain+diverse.';
comment on column core.batch.parameters is 'Arguments of the sampler.';
comment on column core.batch.seed is 'Its random seed: the same seed on the same data chooses the same media.';
comment on column core.batch.run_id is 'The run that chose.';
comment on column core.batch.created_at is 'When it was chosen.';

create table core.batch_item (
    batch_id bigint not null,
    media_id bigint not null,
    rank integer not null,
    score double precision not null,
    reason text not null,
    constraint batch_item_pk primary key (batch_id, media_id),
    constraint batch_item_rank_key unique (batch_id, rank),
    constraint batch_item_batch_fk foreign key (batch_id)
        references core.batch (batch_id) on delete cascade,
    constraint batch_item_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict
);
create index batch_item_media_idx on core.batch_item (media_id);
comment on table core.batch_item is 'A chosen media with its score and reason.';
comment on column core.batch_item.batch_id is 'The batch.';
comment on column core.batch_item.media_id is 'The chosen media.';
comment on column core.batch_item.rank is 'Order of choice, from 1.';
comment on column core.batch_item.score is 'Score by the strategy; larger was more wanted.';
comment on column core.batch_item.reason is 'Why, for a person.';

-- Annotating: work for people, claimed by lease.

create table core.project (
    project_id bigint generated always as identity,
    name text not null,
    ontology_id bigint not null,
    instructions text not null default '',
    kinds text[] not null default '{classification}',
    overlap smallint not null default 1,
    gold_share real not null default 0,
    predicate text not null default 'true',
    fill_by text not null default 'age',
    depth integer not null default 0,
    per_day double precision not null default 0,
    created_at timestamptz not null default now(),
    closed_at timestamptz,
    constraint project_pk primary key (project_id),
    constraint project_name_key unique (name),
    constraint project_name_check check (name <> ''),
    constraint project_kinds_check check (cardinality(kinds) >= 1),
    constraint project_overlap_check check (overlap between 1 and 100),
    constraint project_gold_check check (gold_share between 0 and 0.5),
    constraint project_fill_check check (fill_by in ('age', 'uncertainty', 'diversity')),
    constraint project_depth_check check (depth >= 0),
    constraint project_per_day_check check (per_day >= 0 and per_day < 'infinity'),
    constraint project_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict
);
create index project_ontology_idx on core.project (ontology_id);
call core.make_permanent('core.project', 'project_id');
comment on table core.project is 'What annotators are asked: to say which classes of an ontology, in which kinds of label, how many of them for each media.';
comment on column core.project.project_id is 'Identity of the project.';
comment on column core.project.name is 'Unique name, as shown to people.';
comment on column core.project.ontology_id is 'The ontology whose classes are asked for.';
comment on column core.project.instructions is 'What annotators read before they begin.';
comment on column core.project.kinds is 'Kinds of label that are asked for.';
comment on column core.project.overlap is 'How many people label each media; never one person twice.';
comment on column core.project.gold_share is
    'Share of its tasks that ask what is known to be true already, 0 to 0.5; who answers is not told which.';
comment on column core.project.predicate is 'Which media are asked about: SQL on smartdb.media, read as m.';
comment on column core.project.fill_by is
    'Which of those are asked about first: age (the oldest), uncertainty (of the newest run that predicted), diversity (unlike each other).';
comment on column core.project.depth is 'How many media shall wait in its queue; 0: nothing is asked by itself.';
comment on column core.project.per_day is
    'By how much a day of waiting makes a task more wanted than a newer one; priorities lie between 0 and 1 without it.';
comment on column core.project.created_at is 'When it was made.';
comment on column core.project.closed_at is 'When it was closed; nothing more is asked. Null: it is open.';

create table core.task (
    task_id bigint generated always as identity,
    kind text not null,
    media_id bigint not null,
    label_id bigint,
    project_id bigint,
    slot smallint not null default 1,
    prefill jsonb,
    state text not null default 'open',
    priority double precision not null default 0,
    assignee_id bigint,
    lease_until timestamptz,
    batch_id bigint,
    created_at timestamptz not null default now(),
    claimed_at timestamptz,
    done_at timestamptz,
    seconds real,
    reason text,
    constraint task_pk primary key (task_id),
    constraint task_kind_check check (kind in ('label', 'review', 'adjudicate')),
    constraint task_label_check check ((kind = 'label') = (label_id is null)),
    constraint task_state_check check (state in ('open', 'claimed', 'done', 'skipped')),
    constraint task_claim_check check (
        (state = 'claimed') = (lease_until is not null)
        and (state <> 'claimed' or assignee_id is not null)),
    constraint task_done_check check ((state in ('done', 'skipped')) = (done_at is not null)),
    constraint task_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict,
    constraint task_label_fk foreign key (label_id)
        references core.label (label_id) on delete restrict,
    constraint task_project_fk foreign key (project_id)
        references core.project (project_id) on delete restrict,
    constraint task_slot_check check (slot >= 1),
    constraint task_seconds_check check (seconds >= 0 and seconds < 'infinity'),
    constraint task_assignee_fk foreign key (assignee_id)
        references core.actor (actor_id) on delete restrict,
    constraint task_batch_fk foreign key (batch_id)
        references core.batch (batch_id) on delete set null
);
create unique index task_pending_key on core.task (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot)
    where state in ('open', 'claimed');
-- Nobody is asked twice about a media in a project.
create unique index task_person_key on core.task (project_id, media_id, assignee_id)
    where project_id is not null and kind = 'label';
-- What is claimed leaves the queues, so a claim finds the most wanted at their head.
create index task_queue_idx on core.task (kind, priority desc, task_id) where state = 'open';
create index task_project_queue_idx on core.task (project_id, kind, priority desc, task_id)
    where state = 'open' and project_id is not null;
create index task_lease_idx on core.task (lease_until) where state = 'claimed';
create index task_media_idx on core.task (media_id);
create index task_label_idx on core.task (label_id) where label_id is not null;
create index task_assignee_idx on core.task (assignee_id) where assignee_id is not null;
create index task_batch_idx on core.task (batch_id) where batch_id is not null;
call core.protect('core.task');
call core.make_permanent('core.task', 'task_id');
call core.refer('core.label', '{
    {media_id, core.media, media_id},
    {class_id, core.class, class_id},
    {actor_id, core.actor, actor_id},
    {task_id, core.task, task_id},
    {run_id, core.run, run_id}
}');
comment on table core.task is 'Work for a person on a media; claimed by lease, so that nobody waits for who went home.';
comment on column core.task.task_id is 'Identity of the task.';
comment on column core.task.kind is 'label (say what it is), review (judge a label) or adjudicate (settle a dispute).';
comment on column core.task.media_id is 'The media to look at.';
comment on column core.task.label_id is 'The label to judge; null for a label task.';
comment on column core.task.project_id is 'The project that asks; null for the one question of a small team: what is it?';
comment on column core.task.slot is 'Which of the project''s overlapping answers about the media this is, from 1.';
comment on column core.task.prefill is
    'Labels that the annotator starts from: a list of objects with class, kind, x, y, w, h, shape, attributes, confidence.';
comment on column core.task.state is 'open, claimed, done or skipped.';
comment on column core.task.priority is 'Larger comes first.';
comment on column core.task.assignee_id is 'Who claimed it last; on an open task who let it go.';
comment on column core.task.lease_until is 'Until when the claim holds, by the clock of the server; after that anybody may claim it.';
comment on column core.task.batch_id is 'The batch that asked for it.';
comment on column core.task.created_at is 'When it was made.';
comment on column core.task.claimed_at is 'When it was claimed last.';
comment on column core.task.done_at is 'When it was done or skipped.';
comment on column core.task.seconds is
    'How long the person worked on it, as the client says, and no longer than from claim to answer.';
comment on column core.task.reason is
    'Why it was skipped or, on an open task, why its last assignee gave it back, who is not asked again.';

-- Reviewing: verdicts on labels, and which verdict may follow which.

create table core.review_transition (
    state text not null,
    verdict text not null,
    judge text not null,
    next_state text not null,
    note text not null,
    constraint review_transition_pk primary key (state, verdict),
    constraint review_transition_state_check check (
        state in ('unreviewed', 'accepted', 'corrected', 'rejected', 'disputed', 'adjudicated')),
    constraint review_transition_verdict_check check (verdict in ('accepted', 'corrected', 'rejected', 'disputed')),
    constraint review_transition_judge_check check (judge in ('reviewer', 'disputant', 'adjudicator')),
    constraint review_transition_next_check check (
        next_state in ('accepted', 'corrected', 'rejected', 'disputed', 'adjudicated'))
);
comment on table core.review_transition is
    'The review states of a label and all the ways from one to the next; what is not here is refused. Besides, an edit makes a '
    'new row of the label, which is unreviewed, and who gave the last verdict may withdraw it, unless it was an adjudication.';
comment on column core.review_transition.state is
    'The state before: unreviewed, accepted, corrected (a reviewer wrote this row, or another took its place), rejected, '
    'disputed or adjudicated.';
comment on column core.review_transition.verdict is 'What is said: accepted, corrected, rejected or disputed.';
comment on column core.review_transition.judge is
    'Who may: a reviewer (wrote no row of this label), a disputant (did not give the last verdict; its author may), or an '
    'adjudicator (neither wrote nor reviewed nor disputed it).';
comment on column core.review_transition.next_state is 'The state after.';
comment on column core.review_transition.note is 'What that means.';
insert into core.review_transition (state, verdict, judge, next_state, note) values
('unreviewed', 'accepted', 'reviewer', 'accepted', 'it stands'),
('unreviewed', 'corrected', 'reviewer', 'corrected', 'another row takes its place'),
('unreviewed', 'rejected', 'reviewer', 'rejected', 'it is closed'),
('accepted', 'accepted', 'reviewer', 'accepted', 'two reviewers agree'),
('accepted', 'corrected', 'reviewer', 'disputed', 'two reviewers differ; it stands until that is settled'),
('accepted', 'rejected', 'reviewer', 'disputed', 'two reviewers differ; it stands until that is settled'),
('accepted', 'disputed', 'disputant', 'disputed', 'somebody objects; it stands until that is settled'),
('corrected', 'accepted', 'reviewer', 'accepted', 'a second reviewer finds the correction right'),
('corrected', 'corrected', 'reviewer', 'disputed', 'two reviewers differ; the correction stands until that is settled'),
('corrected', 'rejected', 'reviewer', 'disputed', 'two reviewers differ; the correction stands until that is settled'),
('corrected', 'disputed', 'disputant', 'disputed', 'its author objects; the correction stands until that is settled'),
('rejected', 'disputed', 'disputant', 'disputed', 'its author objects; it stays closed until that is settled'),
('disputed', 'accepted', 'adjudicator', 'adjudicated', 'it stands, or is opened again'),
('disputed', 'corrected', 'adjudicator', 'adjudicated', 'the adjudicator''s row takes its place'),
('disputed', 'rejected', 'adjudicator', 'adjudicated', 'it is closed');

create table core.review (
    review_id bigint generated always as identity,
    label_id bigint not null,
    media_id bigint not null,
    reviewer_id bigint not null,
    verdict text not null,
    state_before text not null,
    state text not null,
    correction jsonb,
    corrected_label_id bigint,
    reason text,
    task_id bigint,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint review_pk primary key (review_id),
    constraint review_verdict_check check (verdict in ('accepted', 'corrected', 'rejected', 'disputed')),
    constraint review_state_check check (state in ('accepted', 'corrected', 'rejected', 'disputed', 'adjudicated')),
    constraint review_corrected_check check (
        case when state = 'disputed' then corrected_label_id is null
            when verdict = 'corrected' then corrected_label_id is not null
            else corrected_label_id is null or (verdict = 'accepted' and state = 'adjudicated') end),
    constraint review_rev_check check (rev_to > rev_from),
    constraint review_label_fk foreign key (label_id)
        references core.label (label_id) on delete restrict,
    constraint review_corrected_fk foreign key (corrected_label_id)
        references core.label (label_id) on delete restrict,
    constraint review_reviewer_fk foreign key (reviewer_id)
        references core.actor (actor_id) on delete restrict,
    constraint review_task_fk foreign key (task_id) references core.task (task_id) on delete restrict
);
create unique index review_live_key on core.review (label_id, reviewer_id) where rev_to is null;
create index review_label_idx on core.review (label_id);
create index review_corrected_idx on core.review (corrected_label_id) where corrected_label_id is not null;
create index review_media_idx on core.review (media_id);
create index review_reviewer_idx on core.review (reviewer_id);
create index review_task_idx on core.review (task_id) where task_id is not null;
create index review_rev_from_idx on core.review (rev_from);
create index review_rev_to_idx on core.review (rev_to) where rev_to is not null;
call core.make_versioned('core.review');
call core.protect('core.review');
comment on table core.review is
    'A verdict on one row of a label. Triggers see that it may follow what was said before, and do what it says.';
comment on column core.review.review_id is 'Identity of the review.';
comment on column core.review.label_id is 'The judged label row, the newest of its label.';
comment on column core.review.media_id is 'Its media.';
comment on column core.review.reviewer_id is 'Who judged: nobody who wrote a row of this label, except to dispute.';
comment on column core.review.verdict is
    'accepted, corrected (another row is to take its place), rejected (it is to be closed) or disputed (the verdict before is '
    'objected to).';
comment on column core.review.state_before is 'The review state of the label before; set by a trigger.';
comment on column core.review.state is
    'The review state of the label after: accepted, corrected, rejected, disputed (nothing changes until it is settled) or '
    'adjudicated; set by a trigger.';
comment on column core.review.correction is
    'What a reviewer who differs would have instead, as changes to the label row: kept for the adjudicator.';
comment on column core.review.corrected_label_id is 'The label row that took its place, or (accepted) that opened it again.';
comment on column core.review.reason is 'Why, for a person.';
comment on column core.review.task_id is 'The task it answered.';
comment on column core.review.created_at is 'When, for people; order is told by rev_from.';
comment on column core.review.rev_from is 'Revision at which the verdict was given.';
comment on column core.review.rev_to is 'Revision at which it was withdrawn; null while it holds.';

-- Reviewing: which labels of a lot are looked at, and what may be concluded from them.

create table core.review_plan (
    plan_id bigint generated always as identity,
    name text not null,
    kind text not null,
    predicate text not null default 'true',
    parameters jsonb not null default '{}',
    seed bigint not null,
    revision bigint not null,
    n_lot bigint not null,
    max_wrong integer,
    error_limit double precision,
    confidence double precision not null default 0.95,
    created_at timestamptz not null default now(),
    screened_at timestamptz,
    constraint review_plan_pk primary key (plan_id),
    constraint review_plan_name_key unique (name),
    constraint review_plan_name_check check (name <> ''),
    constraint review_plan_kind_check check (kind in ('share', 'annotator', 'risk', 'acceptance')),
    constraint review_plan_lot_check check (n_lot >= 1),
    constraint review_plan_limit_check check (
        (kind = 'acceptance') = (num_nulls(max_wrong, error_limit) = 0)
        and num_nonnulls(max_wrong, error_limit) in (0, 2) and max_wrong >= 0
        and error_limit > 0 and error_limit < 1),
    constraint review_plan_confidence_check check (confidence > 0 and confidence < 1),
    constraint review_plan_screened_check check (screened_at is null or kind = 'acceptance')
);
call core.make_permanent('core.review_plan', 'plan_id');
comment on table core.review_plan is
    'A sample of a lot of labels that reviewers look at. The lot is what fulfilled the predicate, unreviewed, when it was drawn.';
comment on column core.review_plan.plan_id is 'Identity of the plan.';
comment on column core.review_plan.name is 'Unique name.';
comment on column core.review_plan.kind is
    'share (of the lot, at random), annotator (as many of each, at random), risk (the likeliest errors: no estimate follows) or '
    'acceptance (at random; the lot is accepted with at most max_wrong wrong, else reviewed wholly).';
comment on column core.review_plan.predicate is 'Which labels are the lot: a condition on smartdb.label, read as l.';
comment on column core.review_plan.parameters is
    'What else it was made by; of kind annotator also lots, how many labels of each actor were in the lot.';
comment on column core.review_plan.seed is 'Seed of the order in which labels are drawn.';
comment on column core.review_plan.revision is 'Revision at which it was drawn.';
comment on column core.review_plan.n_lot is 'Labels in the lot.';
comment on column core.review_plan.max_wrong is 'Wrong labels with which the lot is still accepted.';
comment on column core.review_plan.error_limit is
    'A lot with this share of wrong labels, or a larger, is accepted with a probability of at most 1 - confidence.';
comment on column core.review_plan.confidence is 'Confidence of bound and interval.';
comment on column core.review_plan.created_at is 'When it was made.';
comment on column core.review_plan.screened_at is 'When the rest of a lot that was not accepted was taken into the plan.';

create table core.review_plan_item (
    plan_id bigint not null,
    label_id bigint not null,
    media_id bigint not null,
    actor_id bigint not null,
    rank bigint not null,
    risk real,
    is_screening boolean not null default false,
    constraint review_plan_item_pk primary key (plan_id, label_id),
    constraint review_plan_item_plan_fk foreign key (plan_id)
        references core.review_plan (plan_id) on delete restrict,
    constraint review_plan_item_rank_check check (rank >= 1),
    constraint review_plan_item_risk_check check (risk between 0 and 1)
);
create index review_plan_item_label_idx on core.review_plan_item (label_id);
create index review_plan_item_media_idx on core.review_plan_item (media_id);
call core.protect('core.review_plan_item');
call core.refer('core.review_plan_item', '{
    {media_id, core.media, media_id},
    {label_id, core.label, label_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.review_plan_item is 'A label row that a plan drew.';
comment on column core.review_plan_item.plan_id is 'The plan.';
comment on column core.review_plan_item.label_id is 'The label row.';
comment on column core.review_plan_item.media_id is 'Its media.';
comment on column core.review_plan_item.actor_id is 'Whose label it is.';
comment on column core.review_plan_item.rank is 'Order in which it was drawn.';
comment on column core.review_plan_item.risk is 'How likely it is an error, 0 to 1, by what was known then; plans of kind risk.';
comment on column core.review_plan_item.is_screening is
    'True for the rest of a lot that was not accepted: no part of the sample that judged it.';

-- Reviewing: the rules of core.review_transition, kept by triggers whoever writes a verdict and how.

create function core.last_verdict(label bigint) returns core.review
language sql stable
begin atomic
    -- each half by its index, also while many verdicts are written into a table that was empty
    select r.* from (
        (select j.* from core.review as j where j.label_id = label and j.rev_to is null order by j.review_id desc limit 1)
        union all
        (
            select w.* from core.review as w where w.corrected_label_id = label and w.rev_to is null
            order by w.review_id desc limit 1
        )
    ) as r
    order by r.label_id = label desc limit 1;
end;
comment on function core.last_verdict(bigint) is
    'The verdict that a label row''s review state comes from: the last on it, else the one that wrote it; null if unreviewed.';

create function core.may_judge(label bigint, actor bigint, judge text) returns boolean
language sql stable
begin atomic
    with state as (
        select k.label_id, k.actor_id from core.label as l join core.label as k on k.object_id = l.object_id
        where l.label_id = label and k.label_id <= label and not exists (
            select from core.review as w where w.corrected_label_id = k.label_id and w.rev_to is not null)
    )
    select
        judge = 'disputant' or (
            not exists (select from state as s where s.actor_id = actor)
            and (judge = 'reviewer' or not exists (
                select from core.review as r
                where r.reviewer_id = actor and r.label_id in (select s.label_id from state as s))));
end;
comment on function core.may_judge(bigint, bigint, text) is
    'Whether a person may judge a label as reviewer (wrote no row of it, corrections included unless withdrawn) or as adjudicator (nor ever '
    'judged it).';

create function core.lock_label(label bigint, replaced_by bigint default null) returns core.label
language plpgsql as $$
declare
    l core.label;
begin
    perform from core.label as k -- verdicts on one label wait for each other
    where k.object_id = (select o.object_id from core.label as o where o.label_id = label)
    order by k.label_id for update;
    select * into l from core.label as k where k.label_id = label;
    if not found then
        raise exception 'no label %', label using errcode = 'SD001', hint = 'see: select * from smartdb.review_queue';
    elsif exists (
        select from core.label as k
        where k.object_id = l.object_id and k.label_id > label and k.label_id is distinct from replaced_by
    ) then
        raise exception 'label % has changed meanwhile', label
            using errcode = 'SD005', hint = format('see: select * from smartdb.label where object_id = %s', l.object_id);
    end if;
    return l;
end
$$;
comment on function core.lock_label(bigint, bigint) is
    'The label row, locked with all the rows of its label; SD001 if there is none, SD005 if another but replaced_by followed.';

create function core.reopen_label(label bigint) returns bigint
language plpgsql as $$
declare
    result bigint;
begin
    insert into core.label (
        object_id, media_id, class_id, kind, x, y, w, h, shape, attributes, track_id,
        subject_id, target_id, origin, actor_id, confidence, task_id, run_id
    )
    select
        l.object_id, l.media_id, l.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes, l.track_id,
        l.subject_id, l.target_id, l.origin, l.actor_id, l.confidence, l.task_id, l.run_id
    from core.label as l where l.label_id = label
    on conflict (media_id, actor_id, class_id) where rev_to is null and kind = 'classification' do nothing
    returning label_id into result;
    return coalesce(result, (
        select k.label_id from core.label as l join core.label as k
            on k.media_id = l.media_id and k.actor_id = l.actor_id and k.class_id = l.class_id
        where l.label_id = label and k.kind = 'classification' and k.rev_to is null));
end
$$;
comment on function core.reopen_label(bigint) is
    'Says again what a closed label row said, in the name of who said it, and returns the row that does.';

create function core.check_verdict() returns trigger
language plpgsql as $$
declare
    l constant core.label := core.lock_label(new.label_id, new.corrected_label_id);
    last constant core.review := core.last_verdict(new.label_id);
    step core.review_transition;
begin
    if new.verdict <> 'disputed' and not (
        pg_has_role(current_user, 'smartdb_reviewer', 'usage') or pg_has_role(current_user, 'smartdb_writer', 'usage')
    ) then
        raise exception 'only a reviewer can say %', new.verdict
            using errcode = '42501', hint = 'an annotator may dispute a verdict: smartdb.dispute';
    end if;
    new.media_id := l.media_id;
    new.state_before := coalesce(last.state, 'unreviewed');
    select * into step from core.review_transition as t where t.state = new.state_before and t.verdict = new.verdict;
    if not found then
        raise exception 'label % is %: it cannot be % now', new.label_id, new.state_before, coalesce(new.verdict, 'null')
            using errcode = 'SD007', hint = 'see: select * from smartdb.review_transition';
    end if;
    new.state := step.next_state;
    if not core.may_judge(new.label_id, new.reviewer_id, step.judge) then
        if step.judge = 'reviewer' then
            raise exception 'label % is the reviewer''s own', new.label_id
                using errcode = 'SD002', hint = 'ask another reviewer';
        end if;
        raise exception 'the adjudicator of label % has written or judged it before', new.label_id
            using errcode = 'SD002', hint = 'ask somebody who has not';
    elsif exists (
        select from core.review as r
        where r.label_id = new.label_id and r.reviewer_id = new.reviewer_id and r.rev_to is null
    ) or (new.verdict = 'disputed' and last.reviewer_id = new.reviewer_id) then
        raise exception 'label % was judged by the same person', new.label_id
            using errcode = 'SD007', hint = 'withdraw that verdict first: smartdb.withdraw_review';
    elsif l.rev_to is not null and new.corrected_label_id is null
        and new.verdict <> 'disputed' and (new.state_before <> 'disputed' or new.verdict = 'accepted') then
        raise exception 'label % has changed meanwhile', new.label_id
            using errcode = 'SD005', hint = format('see: select * from smartdb.label where object_id = %s', l.object_id);
    elsif new.state <> 'disputed' and (new.verdict = 'corrected' or new.corrected_label_id is not null) and not exists (
        select from core.label as k
        where k.label_id = new.corrected_label_id and k.media_id = l.media_id and k.rev_to is null
            and k.label_id <> l.label_id and k.actor_id = case new.verdict when 'corrected' then new.reviewer_id else l.actor_id end
    ) then
        raise exception 'no live label by the reviewer takes the place of label %', new.label_id
            using errcode = 'SD002', hint = 'smartdb.review_label writes it and the verdict';
    end if;
    return new;
end
$$;
comment on function core.check_verdict() is
    'Row trigger: a verdict is on the newest row of a label, follows from its state by core.review_transition, and is by '
    'somebody who may. SD007 for a verdict that may not follow, SD002 for a judge who may not be, SD005 for an old row.';
create trigger check_verdict before insert on core.review
    for each row execute function core.check_verdict();

create function core.apply_verdicts() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    update core.label as l set rev_to = 0
    from added as a
    where l.label_id = a.label_id and l.rev_to is null
        and a.state in ('corrected', 'rejected', 'adjudicated') and a.verdict <> 'accepted';
    update core.label_issue as i
    set state = case a.verdict when 'accepted' then 'dismissed' else 'confirmed' end,
        decided_by = a.reviewer_id, decided_at = clock_timestamp(), reason = a.reason
    from added as a
    where i.label_id = a.label_id and a.state <> 'disputed'
        and (i.state = 'open' or a.verdict <> 'accepted' or a.state = 'adjudicated');
    update core.task as t
    set state = case a.verdict when 'disputed' then 'skipped' else 'done' end,
        done_at = clock_timestamp(), lease_until = null,
        assignee_id = case when a.verdict <> 'disputed' then a.reviewer_id end,
        claimed_at = case when t.assignee_id = a.reviewer_id then t.claimed_at end
    from added as a
    where t.label_id = a.label_id and t.state in ('open', 'claimed')
        and (t.kind = 'review' or (t.kind = 'adjudicate' and a.state = 'adjudicated'));
    insert into core.task (kind, media_id, label_id, priority)
    select 'adjudicate', a.media_id, a.label_id, 1 from added as a where a.state = 'disputed' order by a.review_id
    on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot) where state in ('open', 'claimed')
    do nothing;
    insert into core.task (kind, media_id)
    select distinct 'label', a.media_id
    from added as a join core.label as l on l.label_id = a.label_id
    where a.verdict = 'rejected' and a.state <> 'disputed' and l.kind = 'classification' and not exists (
        select from core.label as k
        where k.media_id = a.media_id and k.kind = 'classification' and k.rev_to is null
            and k.origin in ('consensus', 'human', 'import')
    )
    on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot) where state in ('open', 'claimed')
    do nothing;
    return null;
end
$$;
comment on function core.apply_verdicts() is
    'Statement trigger: does what the verdicts say. Closes labels, settles their suspicions, ends their review tasks, asks an '
    'adjudicator about what is disputed, and for a class where a media has none left.';
create trigger apply_verdicts after insert on core.review referencing new table as added
    for each statement execute function core.apply_verdicts();

create function core.undo_verdict() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    l constant core.label := core.lock_label(new.label_id, new.corrected_label_id);
    reopened bigint;
begin
    if new.state = 'adjudicated' then
        raise exception 'label % is adjudicated, which is final until somebody edits it', new.label_id
            using errcode = 'SD007', hint = 'see: select * from smartdb.label_story(' || l.object_id || ')';
    elsif exists (
        select from core.review as r join core.label as k on k.label_id = r.label_id
        where k.object_id = l.object_id and r.rev_to is null and r.review_id > new.review_id
            and not (new.state = 'accepted' and r.state = 'accepted' and r.label_id = new.label_id)
    ) then
        raise exception 'others have judged label % since', new.label_id
            using errcode = 'SD007', hint = 'the last verdict is withdrawn first; or dispute it: smartdb.dispute';
    end if;
    if new.state in ('corrected', 'rejected') then
        if exists (select from core.label as k where k.label_id = new.corrected_label_id and k.rev_to is not null) then
            raise exception 'label % has changed meanwhile', new.corrected_label_id using errcode = 'SD005',
                hint = format('see: select * from smartdb.label where object_id = %s', l.object_id);
        end if;
        update core.label as k set rev_to = 0
        where k.label_id = new.corrected_label_id and k.object_id = l.object_id;
        reopened := core.reopen_label(new.label_id);
    end if;
    update core.label_issue as i
    set state = 'open', label_id = coalesce(reopened, i.label_id), decided_by = null, decided_at = null, reason = null
    where i.label_id = new.label_id and i.state <> 'open' and new.state <> 'disputed'
        and not exists (select from core.review as r where r.label_id = new.label_id and r.rev_to is null)
        and not exists (select from core.label_issue as k where k.label_id = reopened and k.kind = i.kind);
    if (core.last_verdict(new.label_id)).state is distinct from 'disputed' then
        update core.task as t set state = 'skipped', done_at = clock_timestamp(), lease_until = null
        where t.kind = 'adjudicate' and t.label_id = new.label_id and t.state in ('open', 'claimed');
    end if;
    return null;
end
$$;
comment on function core.undo_verdict() is
    'Row trigger: who withdraws the last verdict on a label undoes what it did: the label is as before, its suspicions are open. '
    'SD007 if others followed or it is an adjudication, SD005 if the correction was changed since.';
create trigger undo_verdict after update of rev_to on core.review
    for each row when (old.rev_to is null and new.rev_to is not null) execute function core.undo_verdict();

-- Reviewing: suspected label errors.

create table core.label_issue (
    issue_id bigint generated always as identity,
    media_id bigint not null,
    label_id bigint,
    kind text not null,
    score real not null,
    suggested_class_id bigint,
    suggestion jsonb,
    detail jsonb,
    state text not null default 'open',
    decided_by bigint,
    decided_at timestamptz,
    reason text,
    new_label_id bigint,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint label_issue_pk primary key (issue_id),
    constraint label_issue_label_kind_key unique (label_id, kind),
    constraint label_issue_kind_check check (kind ~ '^[a-z_]+$'),
    constraint label_issue_label_check check ((label_id is null) = (kind = 'overlooked')),
    constraint label_issue_score_check check (score between 0 and 1),
    constraint label_issue_state_check check (state in ('open', 'confirmed', 'dismissed'))
);
create index label_issue_queue_idx on core.label_issue (score desc, issue_id) where state = 'open';
create index label_issue_kind_queue_idx on core.label_issue (kind, score desc, issue_id) where state = 'open';
create unique index label_issue_overlooked_key on core.label_issue (media_id, suggestion) where label_id is null;
create index label_issue_media_idx on core.label_issue (media_id);
create index label_issue_run_idx on core.label_issue (run_id);
call core.protect('core.label_issue');
call core.refer('core.label_issue', '{
    {media_id, core.media, media_id},
    {label_id, core.label, label_id},
    {suggested_class_id, core.class, class_id},
    {decided_by, core.actor, actor_id},
    {new_label_id, core.label, label_id},
    {run_id, core.run, run_id}
}');
comment on table core.label_issue is
    'A suspected label error: a question for a reviewer, not a verdict. Resolving it keeps the answer.';
comment on column core.label_issue.issue_id is 'Identity of the suspicion.';
comment on column core.label_issue.media_id is 'The media.';
comment on column core.label_issue.label_id is 'The suspected label row; null where a label is missing (overlooked).';
comment on column core.label_issue.kind is 'swapped (another class is likelier), overlooked, badly_placed, duplicate, ...';
comment on column core.label_issue.score is 'How suspicious, 0 to 1; larger first.';
comment on column core.label_issue.suggested_class_id is 'The class that the detector would give.';
comment on column core.label_issue.suggestion is
    'What the detector would say instead, for instance {"kind": "box", "x": 4, "y": 2, "w": 9, "h": 9}; columns of core.label.';
comment on column core.label_issue.detail is
    'What it rests on, and is nothing to write: {"rules": [...]} that it breaks, {"label_id": ...} that it repeats.';
comment on column core.label_issue.state is 'open, confirmed (it was wrong) or dismissed (it was right).';
comment on column core.label_issue.decided_by is 'Who decided.';
comment on column core.label_issue.decided_at is 'When.';
comment on column core.label_issue.reason is 'Why, for a person.';
comment on column core.label_issue.new_label_id is 'The label that was added because it had been overlooked.';
comment on column core.label_issue.run_id is 'The run that found it last.';
comment on column core.label_issue.created_at is 'When it was found first.';

-- Reviewing: labels that are known to be true, by which annotators, models and thresholds are measured.

create table core.gold (
    gold_id bigint generated always as identity,
    label_id bigint not null,
    actor_id bigint not null,
    reason text,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint gold_pk primary key (gold_id),
    constraint gold_rev_check check (rev_to > rev_from)
);
create unique index gold_live_key on core.gold (label_id) where rev_to is null;
call core.make_versioned('core.gold');
call core.refer('core.gold', '{
    {label_id, core.label, label_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.gold is 'A label row that is taken for the truth while both it and this mark are live.';
comment on column core.gold.gold_id is 'Identity of the mark.';
comment on column core.gold.label_id is 'The label row.';
comment on column core.gold.actor_id is 'Who says so.';
comment on column core.gold.reason is 'Why, for a person.';
comment on column core.gold.created_at is 'When, for people; order is told by rev_from.';
comment on column core.gold.rev_from is 'Revision at which it became so.';
comment on column core.gold.rev_to is 'Revision at which it was withdrawn; null while it holds.';

create table core.gold_score (
    task_id bigint not null,
    media_id bigint not null,
    actor_id bigint not null,
    n_gold integer not null,
    n_given integer not null,
    n_matched integer not null,
    score real not null generated always as (
        2 * n_matched::real / nullif(n_gold + n_given, 0)) stored,
    created_at timestamptz not null default now(),
    constraint gold_score_pk primary key (task_id),
    constraint gold_score_counts_check check (
        n_gold >= 1 and n_given >= 0 and n_matched between 0 and least(n_gold, n_given))
);
create index gold_score_media_idx on core.gold_score (media_id);
create index gold_score_actor_idx on core.gold_score (actor_id);
call core.protect('core.gold_score');
call core.refer('core.gold_score', '{
    {task_id, core.task, task_id},
    {media_id, core.media, media_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.gold_score is
    'An answer to a task whose media has gold labels, held against them as they were when it was scored.';
comment on column core.gold_score.task_id is 'The answered task.';
comment on column core.gold_score.media_id is 'Its media.';
comment on column core.gold_score.actor_id is 'Who answered.';
comment on column core.gold_score.n_gold is 'Gold labels of the kinds that the project asks for.';
comment on column core.gold_score.n_given is 'Labels of these kinds that the person gave.';
comment on column core.gold_score.n_matched is
    'Pairs of the two: the same class and kind and, where there is a box, boxes that overlap by half (IoU).';
comment on column core.gold_score.score is 'F1 of the answer, 0 to 1: 1 is all of the gold labels and nothing else.';
comment on column core.gold_score.created_at is 'When it was scored.';

-- Reviewing: a verdict is above the consensus, also one that comes after it.

create function core.yield_to_verdict() returns trigger
language plpgsql as $$
begin
    update core.label as k set rev_to = 0
    from core.label as judged
    join core.class as c on c.class_id = judged.class_id
    left join core.label as corrected on corrected.label_id = new.corrected_label_id
    where judged.label_id = new.label_id and judged.kind = 'classification'
        and k.media_id = judged.media_id and k.kind = 'classification'
        and k.origin = 'consensus' and k.rev_to is null
        and k.class_id in (select s.class_id from core.class as s where s.ontology_id = c.ontology_id)
        and case new.verdict
            when 'rejected' then k.class_id = judged.class_id
            else k.class_id <> coalesce(corrected.class_id, judged.class_id)
        end;
    return null;
end
$$;
comment on function core.yield_to_verdict() is
    'Row trigger: a verdict closes the consensus that says otherwise, so that the reviewer''s word is in force at once.';
create trigger yield_to_verdict after insert on core.review
    for each row execute function core.yield_to_verdict();

-- Annotating: who changed or took back which label, and why. What it was and became are label rows.

create table core.label_edit (
    edit_id bigint generated always as identity,
    media_id bigint not null,
    label_id bigint not null,
    new_label_id bigint,
    actor_id bigint not null,
    reason text,
    created_at timestamptz not null default now(),
    constraint label_edit_pk primary key (edit_id),
    constraint label_edit_new_check check (new_label_id <> label_id),
    constraint label_edit_reason_check check (length(reason) between 1 and 2000)
);
create unique index label_edit_label_key on core.label_edit (label_id);
create index label_edit_new_idx on core.label_edit (new_label_id) where new_label_id is not null;
create index label_edit_media_idx on core.label_edit (media_id);
call core.protect('core.label_edit');
call core.refer('core.label_edit', '{
    {media_id, core.media, media_id},
    {label_id, core.label, label_id},
    {new_label_id, core.label, label_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.label_edit is
    'A change of a label by a person: the row that was closed, the row that took its place, who, and why.';
comment on column core.label_edit.edit_id is 'Identity of the edit.';
comment on column core.label_edit.media_id is 'The labelled media.';
comment on column core.label_edit.label_id is 'The label row that was closed: what was said before, and by whom.';
comment on column core.label_edit.new_label_id is 'The label row that took its place; null: the label was removed.';
comment on column core.label_edit.actor_id is 'Who changed it.';
comment on column core.label_edit.reason is 'Why, for a person.';
comment on column core.label_edit.created_at is 'When, for people; order is told by the revisions of the label rows.';

-- Annotating: answers as they were sent. One that is refused is kept, so that its author gets it back.

create table core.submission (
    submission_id bigint generated always as identity,
    task_id bigint,
    media_id bigint,
    actor_id bigint not null,
    key text not null,
    state text not null,
    labels jsonb,
    label_ids bigint[],
    seconds real,
    sqlstate text,
    reason text,
    n_tries integer not null default 1,
    created_at timestamptz not null default clock_timestamp(),
    tried_at timestamptz not null default clock_timestamp(),
    constraint submission_pk primary key (submission_id),
    constraint submission_key unique nulls not distinct (actor_id, task_id, key),
    constraint submission_state_check check (state in ('accepted', 'refused')),
    constraint submission_answer_check check (case state
        when 'accepted' then label_ids is not null and labels is null and reason is null
        else label_ids is null and reason is not null and sqlstate is not null end),
    constraint submission_tries_check check (n_tries >= 1)
);
create index submission_media_idx on core.submission (media_id);
create index submission_refused_idx on core.submission (actor_id, submission_id) where state = 'refused';
alter table core.submission enable row level security;
alter table core.submission force row level security;
create policy unrestricted on core.submission using (
    media_id is null
    or media_id not in (select r.media_id from core.restriction as r)
    or pg_has_role(current_user, 'smartdb_privacy', 'member'));
call core.refer('core.submission', '{
    {task_id, core.task, task_id},
    {media_id, core.media, media_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.submission is
    'An answer to a label task as it was sent, accepted or refused. Sent again with the same key it is the same row.';
comment on column core.submission.submission_id is 'Identity of the submission.';
comment on column core.submission.task_id is 'The task it answers; null if there is none of that number.';
comment on column core.submission.media_id is 'The media it is about; null if there is none, or it was erased.';
comment on column core.submission.actor_id is 'Who sent it.';
comment on column core.submission.key is
    'What tells a repetition from another answer: the client''s key, else a digest of the labels.';
comment on column core.submission.state is 'accepted (the labels were written) or refused (nothing was).';
comment on column core.submission.labels is 'What was sent, of a refused one; null when accepted, or when its media was erased.';
comment on column core.submission.label_ids is 'The labels that were written, in the order sent; null when refused.';
comment on column core.submission.seconds is 'How long the person worked on it, as the client says.';
comment on column core.submission.sqlstate is 'The code of the error, of a refused one.';
comment on column core.submission.reason is 'Why it was refused and what to do, for a person.';
comment on column core.submission.n_tries is 'How often it was sent.';
comment on column core.submission.created_at is 'When it was sent first.';
comment on column core.submission.tried_at is 'When it was sent last.';

create function core.keep_submission(
    task bigint, actor bigint, key text, labels jsonb, label_ids bigint[], seconds real, sqlstate text, reason text
) returns core.submission
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_variable
declare
    about bigint;
    is_known boolean;
    is_gone boolean;
    kept core.submission;
begin
    select k.media_id, exists (select from core.tombstone as t where t.media_id = k.media_id) into about, is_gone
    from core.task as k where k.task_id = task;
    is_known := found;
    insert into core.submission as s (task_id, media_id, actor_id, key, state, labels, label_ids, seconds, sqlstate, reason)
    values (
        case when is_known then task end, case when not is_gone then about end, actor,
        case when is_known then key else 'task ' || task || ': ' || key end,
        case when label_ids is null then 'refused' else 'accepted' end,
        case when label_ids is null and is_gone is not true then labels end, label_ids, seconds, sqlstate,
        case when is_gone then 'the media of task ' || task || ' was erased; what was said of it is not kept' else reason end)
    on conflict on constraint submission_key do update
    set media_id = excluded.media_id, state = excluded.state, labels = excluded.labels, label_ids = excluded.label_ids,
        seconds = excluded.seconds, sqlstate = excluded.sqlstate, reason = excluded.reason, n_tries = s.n_tries + 1,
        tried_at = clock_timestamp()
    where s.state = 'refused'
    returning s.* into kept;
    if not found then
        select s.* into kept from core.submission as s
        where s.actor_id = actor and s.task_id = task and s.key = key;
    end if;
    return kept;
end
$$;
comment on function core.keep_submission(bigint, bigint, text, jsonb, bigint[], real, text, text) is
    'Writes how an answer ended: accepted with its labels, or refused with the reason; an accepted one stays. Acts as the owner, '
    'so that an answer about a media that was hidden meanwhile is kept too. Of an erased media only the refusal is kept.';

-- Annotating: what labels by itself: functions that vote, predictions that came with files, and the
-- thresholds, measured on gold, from which on their word is written down as a label.

create table core.labelling_function (
    function_id bigint generated always as identity,
    name text not null,
    class_id bigint not null,
    predicate text not null,
    note text,
    created_at timestamptz not null default now(),
    constraint labelling_function_pk primary key (function_id),
    constraint labelling_function_name_key unique (name),
    constraint labelling_function_name_check check (name <> ''),
    constraint labelling_function_predicate_check check (predicate <> ''),
    constraint labelling_function_class_fk foreign key (class_id)
        references core.class (class_id) on delete restrict
);
create index labelling_function_class_idx on core.labelling_function (class_id);
comment on table core.labelling_function is
    'A rule of thumb: a condition on media that votes for a class where it holds, and abstains elsewhere.';
comment on column core.labelling_function.function_id is 'Identity of the function.';
comment on column core.labelling_function.name is 'Unique name, as shown to people.';
comment on column core.labelling_function.class_id is 'The class it votes for.';
comment on column core.labelling_function.predicate is 'SQL condition over the columns of smartdb.media, read as m.';
comment on column core.labelling_function.note is 'Why it should hold.';
comment on column core.labelling_function.created_at is 'When it was made.';

create table core.predicted_label (
    predicted_label_id bigint generated always as identity,
    run_id bigint not null,
    media_id bigint not null,
    class_id bigint not null,
    kind text not null,
    x double precision,
    y double precision,
    w double precision,
    h double precision,
    confidence real not null,
    constraint predicted_label_pk primary key (predicted_label_id),
    constraint predicted_label_kind_check check (kind in ('classification', 'box')),
    constraint predicted_label_box_check check (
        case kind when 'box' then num_nulls(x, y, w, h) = 0 and w > 0 and h > 0 else num_nonnulls(x, y, w, h) = 0 end),
    constraint predicted_label_confidence_check check (confidence between 0 and 1)
);
create index predicted_label_run_idx on core.predicted_label (run_id, media_id);
create index predicted_label_media_idx on core.predicted_label (media_id);
call core.protect('core.predicted_label');
call core.refer('core.predicted_label', '{
    {run_id, core.run, run_id},
    {media_id, core.media, media_id},
    {class_id, core.class, class_id}
}');
comment on table core.predicted_label is
    'What a model elsewhere predicted, as a file of predictions said it: classes and boxes with confidences. Not labels.';
comment on column core.predicted_label.predicted_label_id is 'Identity of the row.';
comment on column core.predicted_label.run_id is 'The run that imported the file.';
comment on column core.predicted_label.media_id is 'The media.';
comment on column core.predicted_label.class_id is 'The predicted class.';
comment on column core.predicted_label.kind is 'classification (the whole media) or box.';
comment on column core.predicted_label.x is 'Left edge of the box in pixels of the upright image.';
comment on column core.predicted_label.y is 'Top edge of the box in pixels of the upright image.';
comment on column core.predicted_label.w is 'Width of the box in pixels.';
comment on column core.predicted_label.h is 'Height of the box in pixels.';
comment on column core.predicted_label.confidence is 'How sure the model was, 0 to 1.';

create table core.auto_label_threshold (
    run_id bigint not null,
    class_id bigint,
    actor_id bigint not null,
    ontology_id bigint not null,
    kind text not null,
    precision_wanted double precision not null,
    level double precision not null,
    bound text not null,
    confidence double precision,
    n_gold integer not null,
    n_above integer not null,
    n_correct integer not null,
    precision_low double precision not null,
    reason text,
    constraint auto_label_threshold_key unique nulls not distinct (run_id, class_id),
    constraint auto_label_threshold_wanted_check check (precision_wanted > 0 and precision_wanted < 1),
    constraint auto_label_threshold_level_check check (level > 0 and level < 1),
    constraint auto_label_threshold_bound_check check (bound in ('clopper_pearson', 'wilson')),
    constraint auto_label_threshold_reason_check check ((confidence is null) = (reason is not null)),
    constraint auto_label_threshold_n_check check (n_correct <= n_above and n_above <= n_gold),
    constraint auto_label_threshold_run_fk foreign key (run_id) references core.run (run_id) on delete restrict,
    constraint auto_label_threshold_class_fk foreign key (class_id) references core.class (class_id) on delete restrict,
    constraint auto_label_threshold_actor_fk foreign key (actor_id) references core.actor (actor_id) on delete restrict,
    constraint auto_label_threshold_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict
);
create index auto_label_threshold_actor_idx on core.auto_label_threshold (actor_id, run_id);
create index auto_label_threshold_class_idx on core.auto_label_threshold (class_id) where class_id is not null;
create index auto_label_threshold_ontology_idx on core.auto_label_threshold (ontology_id);
comment on table core.auto_label_threshold is
    'From which confidence on a run of automated labelling wrote labels, as gold told; and where it did not, why.';
comment on column core.auto_label_threshold.run_id is 'The run.';
comment on column core.auto_label_threshold.class_id is 'The class it holds for; null: all classes together.';
comment on column core.auto_label_threshold.actor_id is 'The method, in whose name labels are written.';
comment on column core.auto_label_threshold.ontology_id is 'The ontology whose classes it gives.';
comment on column core.auto_label_threshold.kind is 'Kind of label: classification or box.';
comment on column core.auto_label_threshold.precision_wanted is 'The share of labels that shall be right.';
comment on column core.auto_label_threshold.level is 'How sure one wants to be of that, for instance 0.95.';
comment on column core.auto_label_threshold.bound is 'How the lower bound is computed: clopper_pearson or wilson.';
comment on column core.auto_label_threshold.confidence is 'Labels at least as sure as this are written; null: none is.';
comment on column core.auto_label_threshold.n_gold is 'On how many gold items the method said something.';
comment on column core.auto_label_threshold.n_above is 'On how many of them with at least this confidence; without one on all.';
comment on column core.auto_label_threshold.n_correct is 'How often it was right in these.';
comment on column core.auto_label_threshold.precision_low is 'Lower bound of the precision, at the level, of these.';
comment on column core.auto_label_threshold.reason is 'Why there is no threshold; null where there is one.';

-- Annotating: where a tracked thing leaves the picture, so that nothing is interpolated after it.

create table core.track_end (
    track_end_id bigint generated always as identity,
    media_id bigint not null,
    track_id bigint,
    actor_id bigint not null,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint track_end_pk primary key (track_end_id),
    constraint track_end_erased_check check (track_id is not null or rev_to is not null),
    constraint track_end_rev_check check (rev_to > rev_from)
);
create unique index track_end_key on core.track_end (media_id, track_id) where rev_to is null;
call core.make_versioned('core.track_end');
call core.protect('core.track_end');
call core.refer('core.track_end', '{
    {media_id, core.media, media_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.track_end is
    'From this frame on the thing of a track is not seen, until the next label of the track. Never edited: taking it back closes '
    'the row (rev_to).';
comment on column core.track_end.track_end_id is 'Identity of the row.';
comment on column core.track_end.media_id is 'The first frame without it.';
comment on column core.track_end.track_id is 'The track; null once the media was erased.';
comment on column core.track_end.actor_id is 'Who said so.';
comment on column core.track_end.created_at is 'When, for people; order is told by rev_from.';
comment on column core.track_end.rev_from is 'Revision at which it was said.';
comment on column core.track_end.rev_to is 'Revision at which it was taken back; null while it holds.';

-- Annotating: exchange with label editors: what went out in which state, what came back, and where
-- both sides changed the same object.

create table core.exchange (
    exchange_id bigint generated always as identity,
    editor text not null,
    project_id bigint,
    ontology_id bigint not null,
    parameters jsonb not null default '{}',
    run_id bigint not null,
    created_at timestamptz not null default now(),
    constraint exchange_pk primary key (exchange_id),
    constraint exchange_editor_check check (editor in ('label_studio', 'cvat')),
    constraint exchange_project_fk foreign key (project_id)
        references core.project (project_id) on delete restrict,
    constraint exchange_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict,
    constraint exchange_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
create index exchange_project_idx on core.exchange (project_id) where project_id is not null;
create index exchange_ontology_idx on core.exchange (ontology_id);
create index exchange_run_idx on core.exchange (run_id);
call core.make_permanent('core.exchange', 'exchange_id');
comment on table core.exchange is 'Tasks that were given to a label editor, together; what the editor says later is compared with this state.';
comment on column core.exchange.exchange_id is 'Identity of the exchange; it travels with the tasks.';
comment on column core.exchange.editor is 'label_studio or cvat.';
comment on column core.exchange.project_id is 'The project whose tasks went out; null for tasks of no project.';
comment on column core.exchange.ontology_id is 'The ontology whose classes the editor offers.';
comment on column core.exchange.parameters is 'What was asked for, the file, and the editor''s numbers of people ("people").';
comment on column core.exchange.run_id is 'The run that wrote the tasks.';
comment on column core.exchange.created_at is 'When they went out.';

create table core.exchange_item (
    exchange_id bigint not null,
    media_id bigint not null,
    task_id bigint,
    name text not null,
    frame_index integer,
    constraint exchange_item_pk primary key (exchange_id, media_id)
);
create index exchange_item_media_idx on core.exchange_item (media_id);
call core.protect('core.exchange_item');
call core.refer('core.exchange_item', '{
    {exchange_id, core.exchange, exchange_id},
    {media_id, core.media, media_id},
    {task_id, core.task, task_id}
}');
comment on table core.exchange_item is 'A media of an exchange, by the name it has in the editor.';
comment on column core.exchange_item.exchange_id is 'The exchange.';
comment on column core.exchange_item.media_id is 'The media.';
comment on column core.exchange_item.task_id is 'The task that it answers; null if it went out without one.';
comment on column core.exchange_item.name is 'What the editor calls it.';
comment on column core.exchange_item.frame_index is 'Of a frame, its number in the editor''s video.';

create table core.exchange_object (
    exchange_id bigint not null,
    media_id bigint not null,
    answer text not null,
    region text not null,
    object_id bigint not null,
    label_id bigint,
    said jsonb,
    constraint exchange_object_pk primary key (exchange_id, media_id, answer, region)
);
create index exchange_object_media_idx on core.exchange_object (media_id);
call core.protect('core.exchange_object');
call core.refer('core.exchange_object', '{
    {exchange_id, core.exchange, exchange_id},
    {media_id, core.media, media_id},
    {label_id, core.label, label_id}
}');
comment on table core.exchange_object is 'A labelled thing that both sides know: which row it had here when they last agreed, and what the editor said of it last.';
comment on column core.exchange_object.exchange_id is 'The exchange.';
comment on column core.exchange_object.media_id is 'The media.';
comment on column core.exchange_object.answer is 'The annotation of the editor that brought it; empty: it went out with the tasks, and all share it.';
comment on column core.exchange_object.region is 'What the editor calls it.';
comment on column core.exchange_object.object_id is 'The thing here, core.label.object_id.';
comment on column core.exchange_object.label_id is 'Its row here when both sides last agreed; null: both agreed that there is no such thing.';
comment on column core.exchange_object.said is
    'What the editor said last, where that is not what the row says (there is or was a conflict): a label object, or the JSON value null: removed there.';

create table core.exchange_answer (
    exchange_id bigint not null,
    media_id bigint not null,
    answer text not null,
    actor_id bigint not null,
    said_at timestamptz,
    digest bytea not null,
    created_at timestamptz not null default now(),
    constraint exchange_answer_pk primary key (exchange_id, media_id, answer)
);
create index exchange_answer_media_idx on core.exchange_answer (media_id);
call core.protect('core.exchange_answer');
call core.refer('core.exchange_answer', '{
    {exchange_id, core.exchange, exchange_id},
    {media_id, core.media, media_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.exchange_answer is 'An annotation of the editor in the state that was taken in last, so that one that comes again changes nothing.';
comment on column core.exchange_answer.exchange_id is 'The exchange.';
comment on column core.exchange_answer.media_id is 'The media.';
comment on column core.exchange_answer.answer is 'What the editor calls the annotation.';
comment on column core.exchange_answer.actor_id is 'Who said it there.';
comment on column core.exchange_answer.said_at is 'When, by the clock of the editor.';
comment on column core.exchange_answer.digest is 'SHA-256 of what it said.';
comment on column core.exchange_answer.created_at is 'When it was taken in first.';

create table core.exchange_conflict (
    exchange_conflict_id bigint generated always as identity,
    exchange_id bigint not null,
    media_id bigint not null,
    answer text not null,
    region text not null,
    object_id bigint not null,
    base_label_id bigint not null,
    theirs jsonb,
    actor_id bigint not null,
    said_at timestamptz,
    state text not null default 'open',
    resolved_by bigint,
    reason text,
    label_id bigint,
    created_at timestamptz not null default now(),
    resolved_at timestamptz,
    constraint exchange_conflict_pk primary key (exchange_conflict_id),
    constraint exchange_conflict_state_check check (state in ('open', 'ours', 'theirs')),
    constraint exchange_conflict_resolved_check check ((state = 'open') = (resolved_at is null)),
    constraint exchange_conflict_exchange_fk foreign key (exchange_id)
        references core.exchange (exchange_id) on delete restrict,
    constraint exchange_conflict_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict,
    constraint exchange_conflict_base_fk foreign key (base_label_id)
        references core.label (label_id) on delete restrict,
    constraint exchange_conflict_label_fk foreign key (label_id)
        references core.label (label_id) on delete restrict,
    constraint exchange_conflict_actor_fk foreign key (actor_id)
        references core.actor (actor_id) on delete restrict,
    constraint exchange_conflict_resolved_fk foreign key (resolved_by)
        references core.actor (actor_id) on delete restrict
);
create unique index exchange_conflict_open_key on core.exchange_conflict (exchange_id, object_id, answer) where state = 'open';
create index exchange_conflict_media_idx on core.exchange_conflict (media_id);
create index exchange_conflict_base_idx on core.exchange_conflict (base_label_id);
create index exchange_conflict_label_idx on core.exchange_conflict (label_id) where label_id is not null;
create index exchange_conflict_actor_idx on core.exchange_conflict (actor_id);
create index exchange_conflict_resolved_idx on core.exchange_conflict (resolved_by) where resolved_by is not null;
call core.protect('core.exchange_conflict');
comment on table core.exchange_conflict is 'A labelled thing that was changed here and in the editor since both agreed on it. Nothing is overwritten: a rule or a person decides.';
comment on column core.exchange_conflict.exchange_conflict_id is 'Identity of the conflict.';
comment on column core.exchange_conflict.exchange_id is 'The exchange.';
comment on column core.exchange_conflict.media_id is 'The media.';
comment on column core.exchange_conflict.answer is 'The annotation of the editor that says so.';
comment on column core.exchange_conflict.region is 'What the editor calls the thing.';
comment on column core.exchange_conflict.object_id is 'The thing.';
comment on column core.exchange_conflict.base_label_id is 'The row that both last agreed on.';
comment on column core.exchange_conflict.theirs is 'What the editor says: a label object; null: it was removed there.';
comment on column core.exchange_conflict.actor_id is 'Who said so there.';
comment on column core.exchange_conflict.said_at is 'When, by the clock of the editor.';
comment on column core.exchange_conflict.state is 'open, ours (what is here stays) or theirs (what the editor says was taken).';
comment on column core.exchange_conflict.resolved_by is 'Who decided; null: a rule did.';
comment on column core.exchange_conflict.reason is 'Why: the rule, or a person''s words.';
comment on column core.exchange_conflict.label_id is 'The live row after the decision; null: none.';
comment on column core.exchange_conflict.created_at is 'When it was found.';
comment on column core.exchange_conflict.resolved_at is 'When it was decided.';

create table core.exchange_refusal (
    exchange_refusal_id bigint generated always as identity,
    exchange_id bigint,
    media_id bigint,
    place text not null,
    reason text not null,
    detail text not null,
    content jsonb,
    created_at timestamptz not null default now(),
    constraint exchange_refusal_pk primary key (exchange_refusal_id),
    constraint exchange_refusal_key unique nulls not distinct (exchange_id, place, reason, detail),
    constraint exchange_refusal_reason_check check (reason ~ '^[a-z_]+$'),
    constraint exchange_refusal_exchange_fk foreign key (exchange_id)
        references core.exchange (exchange_id) on delete restrict,
    constraint exchange_refusal_media_fk foreign key (media_id)
        references core.media (media_id) on delete restrict
);
create index exchange_refusal_media_idx on core.exchange_refusal (media_id);
alter table core.exchange_refusal enable row level security;
alter table core.exchange_refusal force row level security;
create policy unrestricted on core.exchange_refusal using (
    media_id is null or media_id not in (select r.media_id from core.restriction as r)
    or pg_has_role(current_user, 'smartdb_privacy', 'member')
);
comment on table core.exchange_refusal is 'What an editor said and could not be taken in, kept so that nothing is lost.';
comment on column core.exchange_refusal.exchange_refusal_id is 'Identity of the refusal.';
comment on column core.exchange_refusal.exchange_id is 'The exchange, if that is known.';
comment on column core.exchange_refusal.media_id is 'The media, if that is known and may be seen.';
comment on column core.exchange_refusal.place is 'Where: a file with a line or id, or an annotation.';
comment on column core.exchange_refusal.reason is
    'Stable code: broken_file, bad_row, bad_shape, unknown_class, unknown_media, unknown_exchange, unsupported, ambiguous, refused.';
comment on column core.exchange_refusal.detail is 'A sentence for a person.';
comment on column core.exchange_refusal.content is 'The whole annotation as it came; null where it is of no media that may be seen, or is no JSON.';
comment on column core.exchange_refusal.created_at is 'When it came first.';

create table core.exchange_delivery (
    digest bytea not null,
    created_at timestamptz not null default now(),
    constraint exchange_delivery_pk primary key (digest)
);
comment on table core.exchange_delivery is 'Messages of label editors that were taken in, so that none is taken in twice.';
comment on column core.exchange_delivery.digest is 'SHA-256 of the message.';
comment on column core.exchange_delivery.created_at is 'When it came first.';

-- Annotating and reviewing: what people say to each other about media, labels and tasks.

create table core.comment (
    comment_id bigint generated always as identity,
    media_id bigint not null,
    object_id bigint,
    label_id bigint,
    task_id bigint,
    reply_to bigint,
    actor_id bigint not null,
    text text,
    created_at timestamptz not null default now(),
    constraint comment_pk primary key (comment_id),
    constraint comment_about_check check (num_nonnulls(label_id, task_id) <= 1 and (label_id is null) = (object_id is null)),
    constraint comment_text_check check (length(text) between 1 and 10000),
    constraint comment_reply_fk foreign key (reply_to)
        references core.comment (comment_id) on delete restrict
);
create index comment_media_idx on core.comment (media_id);
create index comment_object_idx on core.comment (object_id) where object_id is not null;
create index comment_task_idx on core.comment (task_id) where task_id is not null;
create index comment_reply_idx on core.comment (reply_to) where reply_to is not null;
call core.protect('core.comment');
call core.make_permanent('core.comment', 'comment_id');
call core.refer('core.comment', '{
    {media_id, core.media, media_id},
    {label_id, core.label, label_id},
    {task_id, core.task, task_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.comment is
    'What somebody says about a media, or about one of its labels or tasks. Stays as it was said; blank once the media is erased.';
comment on column core.comment.comment_id is 'Identity of the comment.';
comment on column core.comment.media_id is 'The media.';
comment on column core.comment.object_id is 'The label it is about, whatever its row is by now; null if about none.';
comment on column core.comment.label_id is 'The row of that label that stood when it was said.';
comment on column core.comment.task_id is 'The task it is about, if it is about one.';
comment on column core.comment.reply_to is 'The comment that it answers.';
comment on column core.comment.actor_id is 'Who says it.';
comment on column core.comment.text is 'What is said; null once the media is erased.';
comment on column core.comment.created_at is 'When it was said.';

-- Reviewing: what each detector of label errors says of each label it examined, and the rules that
-- labels must fulfil. Scores lie in blocks, as columns: a row for each of 1,000,000 labels takes
-- 87 MB and 5.8 s to copy, insert and index, for one detector alone.

create table core.label_scoring (
    run_id bigint not null,
    detectors text[] not null,
    constraint label_scoring_pk primary key (run_id),
    constraint label_scoring_detectors_check check (cardinality(detectors) between 1 and 31)
);
call core.make_permanent('core.label_scoring', 'run_id');
call core.refer('core.label_scoring', '{{run_id, core.run, run_id}}');
comment on table core.label_scoring is 'A run that examined labels, by which detectors.';
comment on column core.label_scoring.run_id is 'The run.';
comment on column core.label_scoring.detectors is 'The detectors, in the order of their scores.';

create table core.label_score (
    run_id bigint not null,
    part bigint not null,
    label_ids bigint[] not null,
    scores real[] not null,
    suspects integer[] not null,
    constraint label_score_pk primary key (part, run_id),
    constraint label_score_fit_check check (
        cardinality(suspects) = cardinality(label_ids)
        and cardinality(scores) >= cardinality(label_ids)
        and cardinality(scores) % cardinality(label_ids) = 0)
);
alter table core.label_score
alter column label_ids set storage external,
alter column scores set storage external,
alter column suspects set storage external;
call core.refer('core.label_score', '{{run_id, core.label_scoring, run_id}}');
comment on table core.label_score is
    'What the detectors of a run say of the labels whose label_id / 1024 is the part: a block of columns.';
comment on column core.label_score.run_id is 'The run.';
comment on column core.label_score.part is 'label_id / 1024 of the labels in the block.';
comment on column core.label_score.label_ids is 'The examined label rows; null once their media was erased.';
comment on column core.label_score.scores is
    'How suspicious each label is, 0 to 1: those by the first detector, then those by the second, ...; NaN where it says nothing.';
comment on column core.label_score.suspects is 'Which detectors suspect the label: bit 0 is the first.';

create function core.forget_scores(labels bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    l bigint;
begin
    foreach l in array labels loop
        update core.label_score as s set label_ids = array_replace(s.label_ids, l, null)
        where s.part = l / 1024 and l = any (s.label_ids);
    end loop;
end
$$;
comment on function core.forget_scores(bigint[]) is
    'Leaves nothing that ties a score to one of these labels; the scores of the others stay where they are.';

create table core.label_rule (
    rule_id bigint generated always as identity,
    name text not null,
    predicate text not null,
    note text,
    created_at timestamptz not null default now(),
    constraint label_rule_pk primary key (rule_id),
    constraint label_rule_name_key unique (name),
    constraint label_rule_name_check check (name <> ''),
    constraint label_rule_predicate_check check (predicate <> '')
);
comment on table core.label_rule is 'A condition that every label must fulfil; labels that do not are issues of kind rule_broken.';
comment on column core.label_rule.rule_id is 'Identity of the rule.';
comment on column core.label_rule.name is 'What one calls it by.';
comment on column core.label_rule.predicate is 'One SQL condition on smartdb.label, read as l; a label where it is null fulfils it.';
comment on column core.label_rule.note is 'Why, for a person.';
comment on column core.label_rule.created_at is 'When it was made.';

-- Managing: datasets, their sealed versions, and membership by intervals of versions.

create table core.dataset (
    dataset_id bigint generated always as identity,
    name text not null,
    ontology_id bigint not null,
    note text,
    created_at timestamptz not null default now(),
    constraint dataset_pk primary key (dataset_id),
    constraint dataset_name_key unique (name),
    constraint dataset_name_check check (name <> ''),
    constraint dataset_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict
);
create index dataset_ontology_idx on core.dataset (ontology_id);
call core.make_permanent('core.dataset', 'dataset_id');
comment on table core.dataset is 'A named set of media with their labels and splits, in versions.';
comment on column core.dataset.dataset_id is 'Identity of the dataset.';
comment on column core.dataset.name is 'Unique name, as shown to people.';
comment on column core.dataset.ontology_id is 'The ontology its labels are in.';
comment on column core.dataset.note is 'What it is for.';
comment on column core.dataset.created_at is 'When it was made.';

create table core.dataset_version (
    dataset_id bigint not null,
    version integer not null,
    revision bigint not null,
    query text not null,
    parameters jsonb not null default '{}',
    seed bigint not null,
    ontology_version integer not null,
    encoder_id bigint,
    batch_id bigint,
    parent_dataset_id bigint,
    parent_version integer,
    purpose text,
    message text not null,
    run_id bigint not null,
    n_items bigint,
    digest text,
    created_at timestamptz not null default now(),
    sealed_at timestamptz,
    pruned_at timestamptz,
    constraint dataset_version_pk primary key (dataset_id, version),
    constraint dataset_version_check check (version >= 1),
    constraint dataset_version_parent_check check ((parent_dataset_id is null) = (parent_version is null)),
    constraint dataset_version_pruned_check check (pruned_at is null or sealed_at is not null),
    constraint dataset_version_sealed_check check (
        (sealed_at is null and n_items is null and digest is null)
        or (sealed_at is not null and n_items is not null and digest is not null)),
    constraint dataset_version_dataset_fk foreign key (dataset_id)
        references core.dataset (dataset_id) on delete restrict,
    constraint dataset_version_encoder_fk foreign key (encoder_id)
        references core.encoder (encoder_id) on delete restrict,
    constraint dataset_version_batch_fk foreign key (batch_id)
        references core.batch (batch_id) on delete restrict,
    constraint dataset_version_parent_fk foreign key (parent_dataset_id, parent_version)
        references core.dataset_version (dataset_id, version) on delete restrict,
    constraint dataset_version_run_fk foreign key (run_id)
        references core.run (run_id) on delete restrict
);
create index dataset_version_run_idx on core.dataset_version (run_id);
create index dataset_version_encoder_idx on core.dataset_version (encoder_id);
create index dataset_version_batch_idx on core.dataset_version (batch_id);
create index dataset_version_parent_idx on core.dataset_version (parent_dataset_id, parent_version);
comment on table core.dataset_version is
    'A state of a dataset that never changes once sealed: a checkpoint of labels, membership, the query that made it, a digest.';
comment on column core.dataset_version.dataset_id is 'The dataset.';
comment on column core.dataset_version.version is 'Number of the version, from 1.';
comment on column core.dataset_version.revision is 'Checkpoint: its labels are those live at this revision.';
comment on column core.dataset_version.query is 'Predicate on smartdb.media that chose its members.';
comment on column core.dataset_version.parameters is 'Split shares and whatever else went in.';
comment on column core.dataset_version.seed is 'Seed of the split.';
comment on column core.dataset_version.ontology_version is 'Version of the ontology when it was made.';
comment on column core.dataset_version.encoder_id is 'The encoder whose vectors chose its members, where one did.';
comment on column core.dataset_version.batch_id is 'The batch its members were taken from, where they were.';
comment on column core.dataset_version.parent_dataset_id is
    'The dataset of the version it was made from by name: a restored, forked or changed one. Null: from the query alone.';
comment on column core.dataset_version.parent_version is 'That version.';
comment on column core.dataset_version.purpose is
    'The use it is meant for, for instance training; its members allow it. Null: not declared.';
comment on column core.dataset_version.message is 'What changed and why.';
comment on column core.dataset_version.run_id is 'The run that made it.';
comment on column core.dataset_version.n_items is 'Number of members.';
comment on column core.dataset_version.digest is
    'Order-independent digest of members, splits and labels by content; see smartdb.dataset_digest.';
comment on column core.dataset_version.created_at is 'When it was begun.';
comment on column core.dataset_version.sealed_at is 'When it was sealed.';
comment on column core.dataset_version.pruned_at is
    'When its membership was given up to save space; what it was, this row and its digest still say. Null: it is there.';

create table core.dataset_item (
    dataset_id bigint not null,
    media_id bigint not null,
    split text not null,
    version_from integer not null,
    version_to integer,
    constraint dataset_item_split_check check (split in ('train', 'val', 'test')),
    constraint dataset_item_version_check check (version_to > version_from)
);
create unique index dataset_item_key on core.dataset_item (media_id, dataset_id, version_to) nulls not distinct;
create index dataset_item_from_idx on core.dataset_item using brin (dataset_id, version_from)
    with (pages_per_range = 16, autosummarize = on); -- the rows of a version lie together
create index dataset_item_to_idx on core.dataset_item (dataset_id, version_to) where version_to is not null;
comment on table core.dataset_item is
    'Membership by intervals: in version v if version_from <= v and (version_to is null or version_to > v).';
comment on column core.dataset_item.dataset_id is 'The dataset.';
comment on column core.dataset_item.media_id is 'The member.';
comment on column core.dataset_item.split is 'train, val or test.';
comment on column core.dataset_item.version_from is 'First version with this member in this split.';
comment on column core.dataset_item.version_to is 'First version without; null: it is in the newest.';

create function core.refuse_sealed(dataset bigint, versions integer[]) returns void
language plpgsql as $$
declare
    v integer;
begin
    select min(u.version) into v
    from unnest(versions) as u (version)
    left join core.dataset_version as d on d.dataset_id = dataset and d.version = u.version
    where d.version is null or d.sealed_at is not null;
    if found and v is not null then
        raise exception 'version % of dataset % is sealed or does not exist', v, dataset
            using errcode = 'SD003', hint = 'make a new version: smartdb dataset create';
    end if;
end
$$;
comment on function core.refuse_sealed(bigint, integer[]) is
    'Raises SD003 unless all these versions of the dataset exist and are not sealed.';

create function core.keep_sealed_items() returns trigger
language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' then
        raise exception 'dataset items cannot be deleted while a version holds them'
            using errcode = 'SD003', hint = 'see: smartdb dataset prune';
    elsif tg_op = 'INSERT' then
        perform core.refuse_sealed(c.dataset_id, array_agg(c.version))
        from (
            select distinct dataset_id, version_from as version from changed
            union select distinct dataset_id, version_to from changed where version_to is not null
        ) as c group by c.dataset_id;
    elsif tg_op = 'UPDATE' then
        if exists (select from before where version_to is not null) then
            raise exception 'membership that has ended belongs to sealed versions'
                using errcode = 'SD003', hint = 'make a new version: smartdb dataset create';
        end if;
        perform core.refuse_sealed(c.dataset_id, array_agg(c.version))
        from (select distinct dataset_id, version_to as version from changed) as c
        group by c.dataset_id;
    elsif exists (
        select from (select distinct b.dataset_id, b.version_from, b.version_to from before as b) as i
        join core.dataset_version as v
            on v.dataset_id = i.dataset_id and v.pruned_at is null
            and v.version >= i.version_from and (i.version_to is null or v.version < i.version_to)
    ) then
        raise exception 'dataset items cannot be deleted while a version holds them'
            using errcode = 'SD003', hint = 'end the membership in a new version, or see: smartdb dataset prune';
    end if;
    return null;
end
$$;
comment on function core.keep_sealed_items() is
    'Statement trigger: membership changes only in a version that is not sealed yet, and goes only when no version is left '
    'that holds it.';
create trigger keep_inserted after insert on core.dataset_item
    referencing new table as changed
    for each statement execute function core.keep_sealed_items();
create trigger keep_updated after update on core.dataset_item
    referencing old table as before new table as changed
    for each statement execute function core.keep_sealed_items();
create trigger keep_deleted after delete on core.dataset_item
    referencing old table as before
    for each statement execute function core.keep_sealed_items();
create trigger keep_all before truncate on core.dataset_item
    for each statement execute function core.keep_sealed_items();

create function core.keep_item_facts() returns trigger
language plpgsql as $$
begin
    raise exception 'only the end of a membership can be written'
        using errcode = 'SD003', hint = 'end it and insert another row in a new version';
end
$$;
comment on function core.keep_item_facts() is 'Statement trigger: the other columns of a membership never change.';
create trigger keep_facts before update of dataset_id, media_id, split, version_from
    on core.dataset_item for each statement execute function core.keep_item_facts();
call core.refer('core.dataset_item', '{
    {dataset_id, core.dataset, dataset_id},
    {media_id, core.media, media_id}
}');

create function core.keep_sealed_version() returns trigger
language plpgsql as $$
begin
    if tg_op <> 'TRUNCATE' and old.sealed_at is null then
        return case when tg_op = 'DELETE' then old else new end;
    end if;
    if tg_op = 'UPDATE' and old.pruned_at is null and new.pruned_at is not null then
        old.pruned_at := new.pruned_at;
        if old is not distinct from new then
            perform core.refuse_pruning(old.dataset_id, old.version);
            return new;
        end if;
    end if;
    raise exception 'sealed dataset versions cannot change'
        using errcode = 'SD003', hint = 'make a new version: smartdb dataset create';
end
$$;
comment on function core.keep_sealed_version() is
    'Trigger: a sealed version never changes, but that it may be pruned where nothing needs it.';
create trigger keep_sealed before update or delete on core.dataset_version
    for each row execute function core.keep_sealed_version();
create trigger keep_all before truncate on core.dataset_version
    for each statement execute function core.keep_sealed_version();

create function core.next_digest(dataset bigint, version integer) returns text
language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    name constant text := (select d.name from core.dataset as d where d.dataset_id = dataset);
    this core.dataset_version;
    last core.dataset_version;
    touched bigint[];
begin
    select v.* into this from core.dataset_version as v
    where v.dataset_id = dataset and v.version = next_digest.version;
    select v.* into last from core.dataset_version as v
    where v.dataset_id = dataset and v.version < next_digest.version and v.sealed_at is not null
    order by v.version desc limit 1;
    if not found or exists ( -- what was erased no longer counts in the version before
        select from core.tombstone as t join core.dataset_item as i on i.media_id = t.media_id
        where i.dataset_id = dataset and i.version_from <= last.version
            and (i.version_to is null or i.version_to > last.version)
    ) then
        return smartdb.dataset_digest(name, version);
    end if;
    touched := array(
        select i.media_id from core.dataset_item as i
        where i.dataset_id = dataset and i.version_from > last.version and i.version_from <= next_digest.version
        union
        select i.media_id from core.dataset_item as i
        where i.dataset_id = dataset and i.version_to > last.version and i.version_to <= next_digest.version
        union
        select l.media_id from core.label as l
        where l.rev_from > last.revision and l.rev_from <= this.revision and l.origin <> 'model'
        union
        select l.media_id from core.label as l
        where l.rev_to > last.revision and l.rev_to <= this.revision and l.origin <> 'model'
    );
    if cardinality(touched) > last.n_items / 8 then
        return smartdb.dataset_digest(name, version);
    end if;
    return (
        select split_part(last.digest, ':', 1)::bigint - was.n + now.n || ':'
            || split_part(last.digest, ':', 2)::numeric - was.total + now.total
        from smartdb.dataset_facts(name, last.version, touched) as was,
            smartdb.dataset_facts(name, next_digest.version, touched) as now
    );
end
$$;
comment on function core.next_digest(bigint, integer) is
    'smartdb.dataset_digest of a version that is about to be sealed, hidden media included: from the digest of the version '
    'before and what has changed since, unless much has.';

create function core.count_digest(dataset bigint, version integer, out digest text, out n_erased bigint)
language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
    n_erased := (
        select count(*)
        from core.tombstone as t join core.dataset_item as i on i.media_id = t.media_id
        where i.dataset_id = dataset and i.version_from <= count_digest.version
            and (i.version_to is null or i.version_to > count_digest.version)
    );
    digest := (
        select smartdb.dataset_digest(d.name, v.version)
        from core.dataset_version as v join core.dataset as d using (dataset_id)
        where v.dataset_id = dataset and v.version = count_digest.version and v.pruned_at is null
    );
end
$$;
comment on function core.count_digest(bigint, integer) is
    'smartdb.dataset_digest of a version, hidden media included, and how many of its members were erased. Null if it was pruned.';

create function core.keep_class_name() returns trigger
language plpgsql as $$
begin
    raise exception 'a class keeps its name: sealed dataset versions and history name it'
        using errcode = 'SD003', hint = 'retire it (version_to) and add one that replaces it (replaces_class_id)';
end
$$;
comment on function core.keep_class_name() is 'Statement trigger: classes are never renamed in place.';
create trigger keep_name before update of name on core.class
    for each statement execute function core.keep_class_name();

-- Managing: what people say about dataset versions: tags that move, notes that stay, pins that keep
-- a version; and what may be pruned.

create table core.dataset_tag (
    dataset_tag_id bigint generated always as identity,
    dataset_id bigint not null,
    tag text not null,
    version integer not null,
    actor text not null default session_user,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint dataset_tag_pk primary key (dataset_tag_id),
    constraint dataset_tag_check check (tag ~ '^[[:alpha:]_][^[:space:]@]*$'),
    constraint dataset_tag_actor_check check (actor <> ''),
    constraint dataset_tag_rev_check check (rev_to > rev_from),
    constraint dataset_tag_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict
);
create unique index dataset_tag_live_key on core.dataset_tag (dataset_id, tag) where rev_to is null;
create index dataset_tag_version_idx on core.dataset_tag (dataset_id, version);
call core.make_versioned('core.dataset_tag');
comment on table core.dataset_tag is
    'Names that point to a dataset version, such as production. Moving one closes its row and opens another.';
comment on column core.dataset_tag.dataset_tag_id is 'Identity of this row.';
comment on column core.dataset_tag.dataset_id is 'The dataset.';
comment on column core.dataset_tag.tag is 'The name; no number, so that it is never taken for a version.';
comment on column core.dataset_tag.version is 'The version it points to.';
comment on column core.dataset_tag.actor is 'Who set it.';
comment on column core.dataset_tag.created_at is 'When it was set.';
comment on column core.dataset_tag.rev_from is 'Revision at which it was set.';
comment on column core.dataset_tag.rev_to is 'Revision at which it was moved or taken away; null while it points there.';

create table core.dataset_note (
    dataset_note_id bigint generated always as identity,
    dataset_id bigint not null,
    version integer,
    note text not null,
    actor text not null default session_user,
    created_at timestamptz not null default now(),
    constraint dataset_note_pk primary key (dataset_note_id),
    constraint dataset_note_check check (note <> ''),
    constraint dataset_note_actor_check check (actor <> ''),
    constraint dataset_note_dataset_fk foreign key (dataset_id)
        references core.dataset (dataset_id) on delete restrict,
    constraint dataset_note_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict
);
create index dataset_note_version_idx on core.dataset_note (dataset_id, version);
comment on table core.dataset_note is 'What was remarked on a dataset or one of its versions. Only ever added to.';
comment on column core.dataset_note.dataset_note_id is 'Identity of the note.';
comment on column core.dataset_note.dataset_id is 'The dataset.';
comment on column core.dataset_note.version is 'The version; null: the dataset as a whole.';
comment on column core.dataset_note.note is 'The remark.';
comment on column core.dataset_note.actor is 'Who made it.';
comment on column core.dataset_note.created_at is 'When.';

create function core.keep_note() returns trigger
language plpgsql as $$
begin
    raise exception 'notes stay as they were written'
        using errcode = 'SD003', hint = 'add another: smartdb dataset note';
end
$$;
comment on function core.keep_note() is 'Statement trigger: a note is never changed or deleted.';
create trigger keep_note before update or delete or truncate on core.dataset_note
    for each statement execute function core.keep_note();

create table core.dataset_pin (
    dataset_id bigint not null,
    version integer not null,
    reason text not null,
    actor text not null default session_user,
    created_at timestamptz not null default now(),
    constraint dataset_pin_pk primary key (dataset_id, version),
    constraint dataset_pin_reason_check check (reason <> ''),
    constraint dataset_pin_actor_check check (actor <> ''),
    constraint dataset_pin_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict
);
comment on table core.dataset_pin is 'Versions that must not be pruned, until the pin is taken out.';
comment on column core.dataset_pin.dataset_id is 'The dataset.';
comment on column core.dataset_pin.version is 'The version.';
comment on column core.dataset_pin.reason is 'Why it must be kept.';
comment on column core.dataset_pin.actor is 'Who pinned it.';
comment on column core.dataset_pin.created_at is 'When.';

create function core.version_use(dataset bigint, version integer) returns text
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    r record;
    is_found boolean;
begin
    if not exists (
        select from core.dataset_version as v
        where v.dataset_id = dataset and v.version > version_use.version and v.sealed_at is not null
    ) then
        return 'it is the newest';
    elsif exists (
        select from core.dataset_tag as t
        where t.dataset_id = dataset and t.version = version_use.version and t.rev_to is null
    ) then
        return 'it has a tag';
    end if;
    for r in -- models, evaluations, exports, pins, and whatever else will refer to versions
        select
            c.conrelid::regclass as relation,
            (select a.attname from pg_attribute as a where a.attrelid = c.conrelid and a.attnum = c.conkey[1]) as dataset,
            (select a.attname from pg_attribute as a where a.attrelid = c.conrelid and a.attnum = c.conkey[2]) as version
        from pg_constraint as c
        where c.confrelid = 'core.dataset_version'::regclass and c.contype = 'f'
            and c.conrelid not in (
                'core.dataset_version'::regclass, 'core.dataset_tag'::regclass, 'core.dataset_note'::regclass)
        order by 1
    loop
        execute format('select exists (select from %s as t where t.%I = $1 and t.%I = $2)', r.relation, r.dataset, r.version)
        into is_found using dataset, version;
        if is_found then
            return 'a row of ' || r.relation || ' refers to it';
        end if;
    end loop;
    return null;
end
$$;
comment on function core.version_use(bigint, integer) is
    'Why a version must not be pruned: it is the newest, has a tag, or a pin, model, evaluation or the like refers to it. '
    'Null: nothing needs it.';

create function core.refuse_pruning(dataset bigint, version integer) returns void
language plpgsql as $$
declare
    reason constant text := core.version_use(dataset, version);
begin
    if reason is not null then
        raise exception 'version % cannot be pruned: %', version, reason
            using errcode = 'SD003', hint = 'take the tag or pin away first: smartdb dataset tag --remove, unpin';
    end if;
end
$$;
comment on function core.refuse_pruning(bigint, integer) is 'Raises SD003 if anything needs the version.';

create function core.keep_used_version() returns trigger
language plpgsql as $$
begin
    if exists (
        select from core.dataset_version as v
        where v.dataset_id = new.dataset_id and v.version = new.version and v.pruned_at is not null for share
    ) then
        raise exception 'version % was pruned: only its digest is left', new.version
            using errcode = 'SD003', hint = 'see: smartdb dataset list';
    end if;
    return new;
end
$$;
comment on function core.keep_used_version() is 'Row trigger: nothing may begin to refer to a version that was pruned.';
create trigger keep_used_version before insert on core.dataset_tag
    for each row execute function core.keep_used_version();
create trigger keep_used_version before insert on core.dataset_pin
    for each row execute function core.keep_used_version();

create function core.prune_versions(dataset bigint, versions integer[]) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    n bigint;
begin
    update core.dataset_version as v set pruned_at = clock_timestamp()
    where v.dataset_id = dataset and v.version = any (versions) and v.pruned_at is null;
    delete from core.dataset_item as i
    where i.dataset_id = dataset and i.version_to is not null and not exists (
        select from core.dataset_version as v
        where v.dataset_id = dataset and v.pruned_at is null
            and v.version >= i.version_from and v.version < i.version_to
    );
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function core.prune_versions(bigint, integer[]) is
    'Gives up these versions of a dataset, and deletes the membership that no version left holds; returns how many rows of it. '
    'SD003, and nothing done, if one of them is needed.';

-- Managing: slices, named parts of the media, and tags, words that people put on media.

create table core.slice (
    slice_id bigint generated always as identity,
    name text not null,
    predicate text,
    note text,
    created_at timestamptz not null default now(),
    constraint slice_pk primary key (slice_id),
    constraint slice_name_key unique (name),
    constraint slice_name_check check (name <> ''),
    constraint slice_predicate_check check (predicate <> '')
);
comment on table core.slice is
    'A named part of the media: a saved predicate on smartdb.media, which grows with the data, or a saved set, which does not.';
comment on column core.slice.slice_id is 'Identity of the slice.';
comment on column core.slice.name is 'Unique name, as shown to people.';
comment on column core.slice.predicate is
    'SQL condition over the columns of smartdb.media, read as m; null: a set, whose media are in slice_media.';
comment on column core.slice.note is 'Why it matters.';
comment on column core.slice.created_at is 'When it was saved.';

create table core.slice_media (
    slice_id bigint not null,
    media_id bigint not null,
    constraint slice_media_pk primary key (slice_id, media_id),
    constraint slice_media_slice_fk foreign key (slice_id)
        references core.slice (slice_id) on delete cascade
);
create index slice_media_media_idx on core.slice_media (media_id);
call core.refer('core.slice_media', '{{media_id, core.media, media_id}}');
call core.protect('core.slice_media');
comment on table core.slice_media is 'The media of a saved set; they change only by smartdb.add_to_slice and remove_from_slice.';
comment on column core.slice_media.slice_id is 'The set.';
comment on column core.slice_media.media_id is 'The media.';

create table core.media_tag (
    media_id bigint not null,
    tag text,
    actor_id bigint not null,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint media_tag_tag_check check (tag <> '' and length(tag) <= 200),
    constraint media_tag_erased_check check (tag is not null or rev_to is not null),
    constraint media_tag_rev_check check (rev_to > rev_from)
);
create unique index media_tag_key on core.media_tag (tag, media_id) where rev_to is null;
create index media_tag_media_idx on core.media_tag (media_id);
create index media_tag_rev_to_idx on core.media_tag (rev_to) where rev_to is not null;
call core.make_versioned('core.media_tag');
call core.protect('core.media_tag');
call core.refer('core.media_tag', '{
    {media_id, core.media, media_id},
    {actor_id, core.actor, actor_id}
}');
comment on table core.media_tag is
    'A word that somebody put on a media. Never edited: taking it off closes the row (rev_to), putting it on again opens another.';
comment on column core.media_tag.media_id is 'The media.';
comment on column core.media_tag.tag is 'The word; null once the media was erased.';
comment on column core.media_tag.actor_id is 'Who put it on.';
comment on column core.media_tag.created_at is 'When, for people; order is told by rev_from.';
comment on column core.media_tag.rev_from is 'Revision at which it was put on.';
comment on column core.media_tag.rev_to is 'Revision at which it was taken off; null while it is on.';

-- Managing: drift, how far two parts of the media are apart.

create table core.drift (
    run_id bigint not null,
    statistic text not null,
    measure text not null,
    distance double precision not null,
    psi double precision,
    p double precision,
    n_a bigint not null,
    n_b bigint not null,
    constraint drift_pk primary key (run_id, statistic),
    constraint drift_measure_check check (measure in ('ks', 'total_variation', 'share', 'mmd')),
    constraint drift_distance_check check (distance >= 0),
    constraint drift_p_check check (p between 0 and 1),
    constraint drift_run_fk foreign key (run_id) references core.run (run_id) on delete cascade
);
comment on table core.drift is
    'How far two parts of the media are apart in one statistic; which parts, the run''s parameters a and b say.';
comment on column core.drift.run_id is 'The run that compared.';
comment on column core.drift.statistic is
    'brightness, contrast, sharpness, entropy, colourfulness; class (all of them); class NAME (one of them); encoder NAME.';
comment on column core.drift.measure is
    'What distance is: ks (largest difference of the distribution functions), total_variation (half the sum of the differences of '
    'the shares), share (difference of the share of one class), mmd (maximum mean discrepancy of the vectors).';
comment on column core.drift.distance is 'The distance: 0 is alike, 1 is no overlap.';
comment on column core.drift.psi is
    'Population stability index, of one class its part in it; above 0.25 is usually called a large change. Null for vectors.';
comment on column core.drift.p is 'How often chance alone gives this distance or more: Kolmogorov-Smirnov, chi-square, permutation.';
comment on column core.drift.n_a is 'Media of a that were compared.';
comment on column core.drift.n_b is 'Media of b that were compared.';

-- Managing: prunings, each an order in which media are worth keeping, with what each fraction covers.
-- Nothing is ever deleted by one: it is read by predicates, slices and the next dataset version.

create table core.pruning (
    pruning_id bigint generated always as identity,
    method text not null,
    parameters jsonb not null default '{}',
    seed bigint not null,
    run_id bigint not null,
    encoder_id bigint,
    predicate text not null,
    n_candidates integer not null,
    n_kept integer,
    inputs_sha256 bytea not null,
    created_at timestamptz not null default now(),
    constraint pruning_pk primary key (pruning_id),
    constraint pruning_method_check check (
        method in ('semdedup', 'duplicates', 'quality', 'el2n', 'forgetting', 'prototypes', 'random')),
    constraint pruning_n_check check (n_candidates >= 1 and n_kept between 0 and n_candidates),
    constraint pruning_inputs_check check (octet_length(inputs_sha256) = 32),
    constraint pruning_run_fk foreign key (run_id) references core.run (run_id) on delete restrict,
    constraint pruning_encoder_fk foreign key (encoder_id)
        references core.encoder (encoder_id) on delete restrict
);
create index pruning_run_idx on core.pruning (run_id);
create index pruning_encoder_idx on core.pruning (encoder_id);
call core.make_permanent('core.pruning', 'pruning_id');
comment on table core.pruning is 'A plan of what to keep: candidates in the order in which a method would keep them.';
comment on column core.pruning.pruning_id is 'Identity of the plan.';
comment on column core.pruning.method is 'semdedup, duplicates, quality, el2n, forgetting, prototypes or random.';
comment on column core.pruning.parameters is 'Its arguments, such as eps, side, runs, kinds.';
comment on column core.pruning.seed is 'Seed of clusters and of the order of ties.';
comment on column core.pruning.run_id is 'The run that computed it.';
comment on column core.pruning.encoder_id is 'Encoder whose vectors were compared, or by which coverage is measured; null: none.';
comment on column core.pruning.predicate is 'Condition on smartdb.media, read as m, that chose the candidates.';
comment on column core.pruning.n_candidates is 'Number of candidates.';
comment on column core.pruning.n_kept is
    'How many of the first the method itself would keep (no duplicates, good enough); null: it only orders.';
comment on column core.pruning.inputs_sha256 is 'SHA-256 of the candidates and of the facts about them that went in.';
comment on column core.pruning.created_at is 'When it was stored.';

create table core.pruning_item (
    pruning_id bigint not null,
    media_id bigint not null,
    rank integer not null,
    score double precision not null,
    reason text not null,
    kept_by bigint,
    constraint pruning_item_pk primary key (media_id, pruning_id),
    constraint pruning_item_rank_key unique (pruning_id, rank),
    constraint pruning_item_rank_check check (rank >= 1),
    constraint pruning_item_score_check check (score <> 'NaN'),
    constraint pruning_item_kept_by_check check (kept_by <> media_id)
);
create index pruning_item_kept_by_idx on core.pruning_item (kept_by) where kept_by is not null;
call core.protect('core.pruning_item');
call core.refer('core.pruning_item', '{
    {pruning_id, core.pruning, pruning_id},
    {media_id, core.media, media_id},
    {kept_by, core.media, media_id}
}');
comment on table core.pruning_item is 'A candidate of a pruning, with its place in the order of keeping and why.';
comment on column core.pruning_item.pruning_id is 'The pruning.';
comment on column core.pruning_item.media_id is 'The candidate.';
comment on column core.pruning_item.rank is '1 is kept longest; a fraction keeps the first of all.';
comment on column core.pruning_item.score is 'Score by the method; larger is kept longer.';
comment on column core.pruning_item.reason is 'Why, for a person.';
comment on column core.pruning_item.kept_by is
    'The candidate that represents it, where the method takes it for a duplicate; null otherwise.';

create table core.pruning_point (
    pruning_id bigint not null,
    keep double precision not null,
    n_kept integer not null,
    n_probes integer,
    mean_distance real,
    p95_distance real,
    clusters_hit real,
    n_classes integer,
    smallest_class integer,
    class_distance real,
    duplicates_dropped real,
    constraint pruning_point_pk primary key (pruning_id, keep),
    constraint pruning_point_keep_check check (keep between 0 and 1),
    constraint pruning_point_probes_check check (
        (n_probes is null) = (clusters_hit is null)
        and (n_probes is not null or num_nonnulls(mean_distance, p95_distance) = 0)),
    constraint pruning_point_fk foreign key (pruning_id)
        references core.pruning (pruning_id) on delete restrict
);
comment on table core.pruning_point is 'What a pruning leaves at a fraction kept: numbers to decide by.';
comment on column core.pruning_point.pruning_id is 'The pruning.';
comment on column core.pruning_point.keep is 'Fraction of the candidates that is kept, 0 to 1.';
comment on column core.pruning_point.n_kept is 'How many that is.';
comment on column core.pruning_point.n_probes is
    'Candidates whose distance to the nearest kept was measured: all, or 5,000 at random; null: without vectors.';
comment on column core.pruning_point.mean_distance is
    'Mean cosine distance of the candidates to the nearest that is kept; null if none is.';
comment on column core.pruning_point.p95_distance is 'The distance that 95 % of the candidates do not exceed.';
comment on column core.pruning_point.clusters_hit is
    'Share of the clusters of the candidates (k-means, sqrt(n / 2) of them, at most 100) of which at least one media is kept.';
comment on column core.pruning_point.n_classes is 'Classes of which at least one media is kept; null: no candidate has a class.';
comment on column core.pruning_point.smallest_class is 'Kept media of the class that has the fewest, of those among the candidates.';
comment on column core.pruning_point.class_distance is
    'Total variation distance of the class shares of the kept from those of the candidates, 0 to 1.';
comment on column core.pruning_point.duplicates_dropped is
    'Share of the repetition in near-duplicate groups that is gone; null: the candidates have none.';

-- Managing: exports of dataset versions to files, and in which file of them each media lies.

create table core.export (
    export_id bigint generated always as identity,
    dataset_id bigint not null,
    version integer not null,
    format text not null,
    uri text not null,
    parameters jsonb not null default '{}',
    purpose text,
    state text not null default 'unfinished',
    n_items bigint not null,
    n_files bigint,
    n_bytes bigint,
    manifest_sha256 bytea,
    run_id bigint not null,
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    constraint export_pk primary key (export_id),
    constraint export_state_check check (state in ('unfinished', 'complete', 'gone')),
    constraint export_complete_check check (
        state <> 'complete' or num_nulls(n_files, n_bytes, manifest_sha256, finished_at) = 0),
    constraint export_manifest_check check (octet_length(manifest_sha256) = 32),
    constraint export_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict,
    constraint export_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
create index export_version_idx on core.export (dataset_id, version);
create index export_run_idx on core.export (run_id);
create unique index export_uri_key on core.export (uri) where state <> 'gone';
comment on table core.export is 'A dataset version written to files: to where, in which format, with the digest of its manifest.';
comment on column core.export.export_id is 'Identity of the export.';
comment on column core.export.dataset_id is 'The dataset.';
comment on column core.export.version is 'Its version.';
comment on column core.export.format is 'coco, yolo, webdataset, parquet, ...: a name of smartdb.layouts.';
comment on column core.export.uri is 'The folder, or the place in a store, that holds it.';
comment on column core.export.parameters is 'What else decides its bytes: pictures, names, seed, size of shards, origins.';
comment on column core.export.purpose is 'The use it is meant for; its media allowed it when it was begun. Null: not declared.';
comment on column core.export.state is
    'unfinished (it was cut off, or is being written), complete (its manifest is there), gone (it was, and is no longer).';
comment on column core.export.n_items is 'Media that go into it.';
comment on column core.export.n_files is 'Files in it, without the manifest.';
comment on column core.export.n_bytes is 'Their bytes.';
comment on column core.export.manifest_sha256 is 'SHA-256 of manifest.json.';
comment on column core.export.run_id is 'The run that wrote it (last).';
comment on column core.export.created_at is 'When it was begun.';
comment on column core.export.finished_at is 'When its manifest was written.';

create table core.export_part (
    export_id bigint not null,
    part integer not null,
    media_ids bigint[] not null,
    paths text[] not null,
    constraint export_part_pk primary key (export_id, part),
    constraint export_part_paths_check check (cardinality(paths) in (1, cardinality(media_ids))),
    constraint export_part_export_fk foreign key (export_id)
        references core.export (export_id) on delete restrict
);
comment on table core.export_part is
    'A part of an export: a shard with its media, or some pictures, each a file. A row for each would be many times as long.';
comment on column core.export_part.export_id is 'The export.';
comment on column core.export_part.part is 'Number of the part, from 0.';
comment on column core.export_part.media_ids is 'The media in it.';
comment on column core.export_part.paths is 'The file of each of them below the export''s uri, or the one file of all.';

create function core.export_holding(media bigint[])
returns table (export_id bigint, n bigint, paths text[])
language sql stable security definer
begin atomic
    select e.export_id, count(distinct h.media_id), (array_agg(distinct h.path order by h.path))[:100]
    from core.export as e
    join core.export_part as p on p.export_id = e.export_id and p.media_ids && media
    cross join lateral (
        select u.media_id, coalesce(p.paths[u.place], p.paths[1]) as path
        from unnest(p.media_ids) with ordinality as u (media_id, place)
        where u.media_id = any (media)
    ) as h
    where e.state <> 'gone'
    group by e.export_id;
end;
comment on function core.export_holding(bigint[]) is
    'The exports that hold any of these media, how many of them, and the first hundred files that they lie in.';

-- Training: models, their predictions (a partition for each run) and what was measured.

create table core.model (
    model_id bigint generated always as identity,
    name text not null,
    run_id bigint not null,
    dataset_id bigint not null,
    version integer not null,
    encoder_id bigint,
    class_ids bigint[] not null,
    uri text not null,
    sha256 bytea not null,
    created_at timestamptz not null default now(),
    constraint model_pk primary key (model_id),
    constraint model_run_key unique (run_id),
    constraint model_name_check check (name <> ''),
    constraint model_classes_check check (cardinality(class_ids) >= 2),
    constraint model_sha256_check check (octet_length(sha256) = 32),
    constraint model_run_fk foreign key (run_id) references core.run (run_id) on delete restrict,
    constraint model_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict,
    constraint model_encoder_fk foreign key (encoder_id)
        references core.encoder (encoder_id) on delete restrict
);
create index model_version_idx on core.model (dataset_id, version);
create index model_encoder_idx on core.model (encoder_id);
create trigger keep_used_version before insert on core.model
    for each row execute function core.keep_used_version();
comment on table core.model is 'A trained model: its weights by digest, and what it was trained on.';
comment on column core.model.model_id is 'Identity of the model.';
comment on column core.model.name is 'Name, shared by the models that follow each other.';
comment on column core.model.run_id is 'The training run that made it.';
comment on column core.model.dataset_id is 'Dataset it was trained on.';
comment on column core.model.version is 'Version of that dataset.';
comment on column core.model.encoder_id is 'Encoder whose vectors it reads; null if it reads pixels.';
comment on column core.model.class_ids is 'The classes, in the order of its outputs.';
comment on column core.model.uri is 'Where the weights lie.';
comment on column core.model.sha256 is 'SHA-256 of the weights file.';
comment on column core.model.created_at is 'When it was stored.';

create table core.evaluation (
    run_id bigint not null,
    model_id bigint,
    dataset_id bigint,
    version integer,
    revision bigint not null,
    class_ids bigint[] not null,
    constraint evaluation_pk primary key (run_id),
    constraint evaluation_version_check check ((dataset_id is null) = (version is null)),
    constraint evaluation_run_fk foreign key (run_id) references core.run (run_id) on delete restrict,
    constraint evaluation_model_fk foreign key (model_id)
        references core.model (model_id) on delete restrict,
    constraint evaluation_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict
);
create index evaluation_model_idx on core.evaluation (model_id);
create index evaluation_version_idx on core.evaluation (dataset_id, version);
call core.make_permanent('core.evaluation', 'run_id');
create trigger keep_used_version before insert on core.evaluation
    for each row execute function core.keep_used_version();
comment on table core.evaluation is 'One set of predictions and what it is judged against.';
comment on column core.evaluation.run_id is 'The run that predicted.';
comment on column core.evaluation.model_id is 'The model; null for out-of-fold predictions, which many models made.';
comment on column core.evaluation.dataset_id is 'Dataset whose splits apply; null: no splits.';
comment on column core.evaluation.version is 'Version of that dataset.';
comment on column core.evaluation.revision is 'The truth is the labels live at this revision.';
comment on column core.evaluation.class_ids is 'The classes, in the order of the probabilities.';

create table core.prediction (
    run_id bigint not null,
    media_id bigint not null,
    class_id bigint not null,
    probability real[] not null,
    confidence real not null,
    margin real not null,
    entropy real not null,
    true_label_id bigint,
    true_class_id bigint,
    split text,
    constraint prediction_pk primary key (media_id, run_id),
    constraint prediction_truth_check check ((true_label_id is null) = (true_class_id is null)),
    constraint prediction_split_check check (split in ('train', 'val', 'test')),
    constraint prediction_confidence_check check (
        confidence between 0 and 1.0001 and margin between 0 and 1.0001 and entropy >= 0)
) partition by list (run_id);
call core.protect('core.prediction');
call core.refer('core.prediction', '{
    {run_id, core.evaluation, run_id},
    {media_id, core.media, media_id},
    {class_id, core.class, class_id}
}');
comment on table core.prediction is 'What a run predicted for a media; one partition a run.';
comment on column core.prediction.run_id is 'The run.';
comment on column core.prediction.media_id is 'The media.';
comment on column core.prediction.class_id is 'The likeliest class.';
comment on column core.prediction.probability is 'Probability of each class, in the order of the evaluation''s class_ids.';
comment on column core.prediction.confidence is 'Probability of the likeliest class.';
comment on column core.prediction.margin is 'Probability of the likeliest less that of the second.';
comment on column core.prediction.entropy is 'Shannon entropy of the probabilities in nats.';
comment on column core.prediction.true_label_id is
    'The label it is judged against, that of media_class at the run''s revision; null: the media had none.';
comment on column core.prediction.true_class_id is 'The class of that label.';
comment on column core.prediction.split is 'The split of the media in the run''s dataset version; null: it was not a member.';

create function core.check_truth() returns trigger
language plpgsql set enable_nestloop = off as $$ -- one plan, kept, must do for any number of rows
declare
    e core.evaluation;
    wrong bigint;
begin
    for e in
        select x.* from core.evaluation as x where x.run_id in (select c.run_id from changed as c)
    loop
        select c.media_id into wrong
        from changed as c
        left join smartdb.media_class_at(e.revision) as t on t.media_id = c.media_id
        left join core.dataset_item as i
            on i.dataset_id = e.dataset_id and i.media_id = c.media_id
            and i.version_from <= e.version and (i.version_to is null or i.version_to > e.version)
        where c.run_id = e.run_id and (
            c.true_label_id is distinct from t.label_id or c.true_class_id is distinct from t.class_id
            or c.split is distinct from i.split)
        limit 1;
        if found then
            raise exception 'the prediction of media % is not judged against what run % says', wrong, e.run_id
                using errcode = 'SD002',
                hint = 'true_label_id, true_class_id: smartdb.media_class_at; split: core.dataset_item';
        end if;
    end loop;
    return null;
end
$$;
comment on function core.check_truth() is
    'Statement trigger: the truth written beside a prediction is the one at the revision and dataset version of its run.';
create trigger check_truth after insert on core.prediction referencing new table as changed
    for each statement execute function core.check_truth();

create function core.add_prediction_partition(run bigint) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    execute format(
        'create table if not exists core.prediction_%1$s partition of core.prediction for values in (%1$s)', run);
    execute format('comment on table core.prediction_%s is %L', run, 'Predictions of run ' || run || '.');
    execute format('alter table core.prediction_%s enable row level security', run);
end
$$;
comment on function core.add_prediction_partition(bigint) is
    'Makes the partition of a run; rows go in through core.prediction.';

create table core.metric (
    metric_id bigint generated always as identity,
    run_id bigint not null,
    name text not null,
    split text not null,
    step integer,
    value double precision not null,
    n bigint not null,
    constraint metric_pk primary key (metric_id),
    constraint metric_key unique nulls not distinct (run_id, name, split, step),
    constraint metric_split_check check (split in ('train', 'val', 'test')),
    constraint metric_value_check check (value <> 'NaN'),
    constraint metric_n_check check (n > 0),
    constraint metric_run_fk foreign key (run_id) references core.run (run_id) on delete restrict
);
comment on table core.metric is 'What a run measured. Metrics of a class or a slice are views over predictions.';
comment on column core.metric.metric_id is 'Identity of the measurement.';
comment on column core.metric.run_id is 'The run.';
comment on column core.metric.name is 'accuracy, macro_f1, loss, ...';
comment on column core.metric.split is 'train, val or test.';
comment on column core.metric.step is 'Epoch, from 1; null for the final value.';
comment on column core.metric.value is 'The value.';
comment on column core.metric.n is 'Number of media it was measured on.';

-- Training: how the items that a run was trained on went through the training.

create table core.training_dynamics (
    run_id bigint not null,
    media_id bigint not null,
    loss real not null,
    el2n real not null,
    n_forgotten integer not null,
    n_correct integer not null,
    n_epochs integer not null,
    constraint training_dynamics_pk primary key (media_id, run_id),
    constraint training_dynamics_loss_check check (loss >= 0 and loss < 'Infinity'),
    constraint training_dynamics_el2n_check check (el2n between 0 and 1.5),
    constraint training_dynamics_epochs_check check (
        n_correct between 0 and n_epochs and n_forgotten between 0 and n_correct)
);
create index training_dynamics_run_idx on core.training_dynamics using brin (run_id) with (pages_per_range = 16);
call core.protect('core.training_dynamics');
call core.refer('core.training_dynamics', '{
    {run_id, core.evaluation, run_id},
    {media_id, core.media, media_id}
}');
comment on table core.training_dynamics is
    'How each train item of a training run went through the training: what is hard, what is soon learnt and what is forgotten.';
comment on column core.training_dynamics.run_id is 'The training run.';
comment on column core.training_dynamics.media_id is 'The train item.';
comment on column core.training_dynamics.loss is
    '-ln of the probability that the model that was kept gives the true class, in nats, at most 16.1 (1e-7).';
comment on column core.training_dynamics.el2n is
    'EL2N (Paul et al. 2021): length of the vector probabilities less one-hot truth, 0 to 1.41, mean of the first ten epochs.';
comment on column core.training_dynamics.n_forgotten is
    'Forgetting events (Toneva et al. 2019): epochs in which it was wrong after it was right in the epoch before.';
comment on column core.training_dynamics.n_correct is 'Epochs in which it was right; 0: it was never learnt.';
comment on column core.training_dynamics.n_epochs is 'Epochs that were watched.';

-- Evaluating detections: matched once with the truth, at every IoU that COCO asks for, and kept as rows.

create table core.detection_evaluation (
    run_id bigint not null,
    predictions_run_id bigint not null,
    ontology_id bigint not null,
    revision bigint not null,
    dataset_id bigint,
    version integer,
    split text,
    constraint detection_evaluation_pk primary key (run_id),
    constraint detection_evaluation_split_check check (split in ('train', 'val', 'test')),
    constraint detection_evaluation_version_check check ((dataset_id is null) = (version is null)),
    constraint detection_evaluation_run_fk foreign key (run_id) references core.run (run_id) on delete restrict,
    constraint detection_evaluation_predictions_fk foreign key (predictions_run_id)
        references core.run (run_id) on delete restrict,
    constraint detection_evaluation_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict,
    constraint detection_evaluation_dataset_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict
);
create index detection_evaluation_predictions_idx on core.detection_evaluation (predictions_run_id);
create index detection_evaluation_ontology_idx on core.detection_evaluation (ontology_id);
create index detection_evaluation_dataset_idx on core.detection_evaluation (dataset_id, version);
call core.make_permanent('core.detection_evaluation', 'run_id');
create trigger keep_used_version before insert on core.detection_evaluation
    for each row execute function core.keep_used_version();
comment on table core.detection_evaluation is 'One set of detections, and the labels that they were matched with.';
comment on column core.detection_evaluation.run_id is 'The run that matched them.';
comment on column core.detection_evaluation.predictions_run_id is 'The run whose detections (core.predicted_label) they are.';
comment on column core.detection_evaluation.ontology_id is 'Whose labels are the truth.';
comment on column core.detection_evaluation.revision is 'At which the labels were read.';
comment on column core.detection_evaluation.dataset_id is 'The dataset whose media were judged; null: all with labels or detections.';
comment on column core.detection_evaluation.version is 'Its version.';
comment on column core.detection_evaluation.split is 'The split of it; null: all.';

create table core.detection_truth (
    run_id bigint not null,
    label_id bigint not null,
    media_id bigint not null,
    class_id bigint not null,
    area double precision not null,
    is_crowd boolean not null,
    found_at smallint not null,
    iou_same real not null,
    iou_other real not null,
    constraint detection_truth_pk primary key (run_id, label_id)
);
create index detection_truth_media_idx on core.detection_truth (media_id);
call core.protect('core.detection_truth');
call core.refer('core.detection_truth', '{
    {run_id, core.detection_evaluation, run_id},
    {label_id, core.label, label_id},
    {media_id, core.media, media_id},
    {class_id, core.class, class_id}
}');
comment on table core.detection_truth is 'A label that detections were matched with.';
comment on column core.detection_truth.run_id is 'The evaluation.';
comment on column core.detection_truth.label_id is 'The label row.';
comment on column core.detection_truth.media_id is 'Its media.';
comment on column core.detection_truth.class_id is 'Its class.';
comment on column core.detection_truth.area is 'Pixels in its outline, or in its box.';
comment on column core.detection_truth.is_crowd is 'Whether it stands for many: what lies in it does not count.';
comment on column core.detection_truth.found_at is 'Bit i is set if a detection takes it at IoU 0.5 + 0.05 i.';
comment on column core.detection_truth.iou_same is 'Largest IoU with a detection of its class.';
comment on column core.detection_truth.iou_other is 'Largest IoU with a detection of another class.';

create table core.detection_match (
    run_id bigint not null,
    predicted_label_id bigint not null,
    media_id bigint not null,
    class_id bigint not null,
    confidence real not null,
    rank integer not null,
    right_at smallint[] not null,
    ignored_at smallint[] not null,
    label_id bigint,
    iou_same real not null,
    iou_other real not null,
    other_class_id bigint,
    constraint detection_match_pk primary key (run_id, predicted_label_id),
    constraint detection_match_bits_check check (cardinality(right_at) = 4 and cardinality(ignored_at) = 4)
);
create index detection_match_media_idx on core.detection_match (media_id);
call core.protect('core.detection_match');
call core.refer('core.detection_match', '{
    {run_id, core.detection_evaluation, run_id},
    {media_id, core.media, media_id},
    {class_id, core.class, class_id}
}');
comment on table core.detection_match is 'A detection, and where it is right: bit i stands for IoU 0.5 + 0.05 i.';
comment on column core.detection_match.run_id is 'The evaluation.';
comment on column core.detection_match.predicted_label_id is 'The detection.';
comment on column core.detection_match.media_id is 'Its media.';
comment on column core.detection_match.class_id is 'Its class.';
comment on column core.detection_match.confidence is 'How sure the model was.';
comment on column core.detection_match.rank is 'Its place among those of its media and class, the most confident 0.';
comment on column core.detection_match.right_at is 'Bits where it is right, for the areas all, small, medium, large.';
comment on column core.detection_match.ignored_at is 'Bits where it does not count (a crowd, another size), for the same areas.';
comment on column core.detection_match.label_id is 'The label that it takes at IoU 0.5.';
comment on column core.detection_match.iou_same is 'Largest IoU with a label of its class.';
comment on column core.detection_match.iou_other is 'Largest IoU with a label of another class.';
comment on column core.detection_match.other_class_id is 'The class of that label.';

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
