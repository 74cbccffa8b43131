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
