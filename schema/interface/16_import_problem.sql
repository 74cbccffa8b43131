-- What was wrong with the rows of imported files, each at its last import.
create view smartdb.import_problem as
select p.import_problem_id, p.uri, p.place, p.reason, p.detail, p.is_warning, p.run_id, r.started_at as created_at
from core.import_problem as p
join core.run as r using (run_id);

comment on view smartdb.import_problem is
    'Each row of an imported file that could not go in, or went in and is odd; see smartdb import.';
comment on column smartdb.import_problem.import_problem_id is 'Identity of the problem.';
comment on column smartdb.import_problem.uri is 'The file or folder that was imported, as a URI.';
comment on column smartdb.import_problem.place is 'Where in it: a file, a line or an id.';
comment on column smartdb.import_problem.reason is
    'Stable code: broken_file, missing_image, orphan_label, duplicate_id, unknown_category, zero_size, ...';
comment on column smartdb.import_problem.detail is 'A sentence for a person.';
comment on column smartdb.import_problem.is_warning is 'Whether the row went in all the same.';
comment on column smartdb.import_problem.run_id is 'The import that found it.';
comment on column smartdb.import_problem.created_at is 'When that import began.';

-- example:
--   select uri, place, reason, detail, is_warning from smartdb.import_problem
-- result:
--   file:///toys/boxes.json | annotation 7 | zero_size | its box [3, 4, 0, 5] has no area | False
