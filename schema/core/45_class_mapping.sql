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
