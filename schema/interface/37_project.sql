-- What annotators are asked, project by project.
create view smartdb.project as
select
    p.project_id, p.name as project, o.name as ontology, p.instructions, p.kinds, p.overlap, p.predicate, p.fill_by, p.depth,
    p.per_day, case when not pg_has_role(current_user, 'smartdb_annotator', 'member') then p.gold_share end as gold_share,
    p.created_at, p.closed_at
from core.project as p
join core.ontology as o on o.ontology_id = p.ontology_id;

comment on view smartdb.project is 'Projects: what annotators are asked about which media, and how many of them about each.';
comment on column smartdb.project.project_id is 'Identity of the project.';
comment on column smartdb.project.project is 'Its name.';
comment on column smartdb.project.ontology is 'The ontology whose classes are asked for.';
comment on column smartdb.project.instructions is 'What annotators read before they begin.';
comment on column smartdb.project.kinds is 'Kinds of label that are asked for.';
comment on column smartdb.project.overlap is 'How many people are asked about each media.';
comment on column smartdb.project.predicate is 'Which media are asked about: SQL on smartdb.media, read as m.';
comment on column smartdb.project.fill_by is 'Which first: age, uncertainty or diversity.';
comment on column smartdb.project.depth is 'How many media shall wait in its queue.';
comment on column smartdb.project.per_day is 'By how much a day of waiting makes a task more wanted.';
comment on column smartdb.project.gold_share is 'Share of its tasks whose answer is known; not told to annotators.';
comment on column smartdb.project.created_at is 'When it was made.';
comment on column smartdb.project.closed_at is 'When it was closed; null: it is open.';

-- example:
--   select project, ontology, kinds, overlap, depth from smartdb.project
-- result:
--   pets | animals | ['classification'] | 2 | 10
