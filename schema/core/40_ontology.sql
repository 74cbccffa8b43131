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
    created_at timestamptz not null default now(),
    constraint ontology_version_pk primary key (ontology_id, version),
    constraint ontology_version_check check (version >= 1),
    constraint ontology_version_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict
);
comment on table core.ontology_version is 'An immutable state of an ontology; adding classes makes the next one.';
comment on column core.ontology_version.ontology_id is 'The ontology.';
comment on column core.ontology_version.version is 'Number of the version, from 1.';
comment on column core.ontology_version.message is 'What changed and why.';
comment on column core.ontology_version.created_at is 'When it was made.';

create table core.class (
    class_id bigint generated always as identity,
    ontology_id bigint not null,
    name text not null,
    parent_class_id bigint,
    kinds text[] not null default
    '{classification,box,rotated_box,polygon,mask,polyline,keypoints,caption,relation}',
    attribute_schema jsonb not null default '{}',
    version_from integer not null,
    version_to integer,
    replaces_class_id bigint,
    constraint class_pk primary key (class_id),
    constraint class_name_check check (name <> ''),
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
comment on column core.class.attribute_schema is 'Attributes a label of this class may carry.';
comment on column core.class.version_from is 'First version that has it.';
comment on column core.class.version_to is 'First version that no longer has it; null: it is in use.';
comment on column core.class.replaces_class_id is
    'The class, retired in the same version, of which this is the new name. A class is never renamed in place: sealed versions name it.';
