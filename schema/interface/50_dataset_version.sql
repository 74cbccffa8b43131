-- Datasets and their versions.
create view smartdb.dataset_version as
select
    d.name as dataset, v.version, v.n_items, v.revision, v.query, v.parameters, v.seed,
    v.digest, v.message, o.name as ontology, v.run_id, v.created_at, v.sealed_at,
    v.dataset_id, v.purpose
from core.dataset_version as v
join core.dataset as d using (dataset_id)
join core.ontology as o using (ontology_id);

comment on view smartdb.dataset_version is 'Datasets and their versions; a sealed one never changes.';
comment on column smartdb.dataset_version.dataset is 'Name of the dataset.';
comment on column smartdb.dataset_version.version is 'Number of the version, from 1.';
comment on column smartdb.dataset_version.n_items is 'Number of members.';
comment on column smartdb.dataset_version.revision is 'Its labels are those live at this revision: see label_at().';
comment on column smartdb.dataset_version.query is 'Condition on smartdb.media that chose its members.';
comment on column smartdb.dataset_version.parameters is 'Split shares and whatever else went in.';
comment on column smartdb.dataset_version.seed is 'Seed of the split.';
comment on column smartdb.dataset_version.digest is 'Digest by content; compare with dataset_digest().';
comment on column smartdb.dataset_version.message is 'What changed and why.';
comment on column smartdb.dataset_version.ontology is 'Name of the ontology of its labels.';
comment on column smartdb.dataset_version.run_id is 'The run that made it.';
comment on column smartdb.dataset_version.created_at is 'When it was begun.';
comment on column smartdb.dataset_version.sealed_at is 'When it was sealed.';
comment on column smartdb.dataset_version.dataset_id is 'Identity of the dataset.';
comment on column smartdb.dataset_version.purpose is 'The use it is meant for; its members allowed it when it was sealed. Null: not declared.';

-- example:
--   select dataset, version, n_items, query, message from smartdb.dataset_version order by
--   version
-- result:
--   pets | 1 | 9 | true | first
--   pets | 2 | 9 | true | after review
