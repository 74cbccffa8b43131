-- Datasets and their versions.
create view smartdb.dataset_version as
select
    d.name as dataset, v.version, v.n_items, v.revision, v.query, v.parameters, v.seed,
    v.digest, v.message, o.name as ontology, v.run_id, v.created_at, v.sealed_at,
    v.dataset_id, v.purpose, v.ontology_version,
    (select e.name from core.encoder as e where e.encoder_id = v.encoder_id) as encoder,
    v.batch_id,
    (select p.name from core.dataset as p where p.dataset_id = v.parent_dataset_id) as parent_dataset,
    v.parent_version,
    array(
        select t.tag from core.dataset_tag as t
        where t.dataset_id = v.dataset_id and t.version = v.version and t.rev_to is null order by t.tag
    ) as tags,
    exists (
        select from core.dataset_pin as p where p.dataset_id = v.dataset_id and p.version = v.version
    ) as is_pinned,
    v.pruned_at
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
comment on column smartdb.dataset_version.ontology_version is 'Version of the ontology when it was made; see dataset_class_diff().';
comment on column smartdb.dataset_version.encoder is 'The encoder whose vectors chose its members, where one did.';
comment on column smartdb.dataset_version.batch_id is 'The batch its members were taken from, where they were; see batch_item.';
comment on column smartdb.dataset_version.parent_dataset is 'The dataset of the version it was made from, where one was named.';
comment on column smartdb.dataset_version.parent_version is 'That version.';
comment on column smartdb.dataset_version.tags is 'The names that point to it now; see dataset_tag.';
comment on column smartdb.dataset_version.is_pinned is 'Whether it must not be pruned; see dataset_pin.';
comment on column smartdb.dataset_version.pruned_at is
    'When its membership was given up; only this row and its digest are left. Null: it is there.';

-- example:
--   select dataset, version, n_items, query, message from smartdb.dataset_version order by
--   version
-- result:
--   pets | 1 | 9 | true | first
--   pets | 2 | 9 | true | after review
