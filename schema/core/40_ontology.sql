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
