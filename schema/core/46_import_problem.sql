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
