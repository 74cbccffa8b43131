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
