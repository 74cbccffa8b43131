-- Managing: what people say about dataset versions: tags that move, notes that stay, pins that keep
-- a version; and what may be pruned.

create table core.dataset_tag (
    dataset_tag_id bigint generated always as identity,
    dataset_id bigint not null,
    tag text not null,
    version integer not null,
    actor text not null default session_user,
    created_at timestamptz not null default now(),
    rev_from bigint not null default nextval('core.revision'),
    rev_to bigint,
    constraint dataset_tag_pk primary key (dataset_tag_id),
    constraint dataset_tag_check check (tag ~ '^[[:alpha:]_][^[:space:]@]*$'),
    constraint dataset_tag_actor_check check (actor <> ''),
    constraint dataset_tag_rev_check check (rev_to > rev_from),
    constraint dataset_tag_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict
);
create unique index dataset_tag_live_key on core.dataset_tag (dataset_id, tag) where rev_to is null;
create index dataset_tag_version_idx on core.dataset_tag (dataset_id, version);
call core.make_versioned('core.dataset_tag');
comment on table core.dataset_tag is
    'Names that point to a dataset version, such as production. Moving one closes its row and opens another.';
comment on column core.dataset_tag.dataset_tag_id is 'Identity of this row.';
comment on column core.dataset_tag.dataset_id is 'The dataset.';
comment on column core.dataset_tag.tag is 'The name; no number, so that it is never taken for a version.';
comment on column core.dataset_tag.version is 'The version it points to.';
comment on column core.dataset_tag.actor is 'Who set it.';
comment on column core.dataset_tag.created_at is 'When it was set.';
comment on column core.dataset_tag.rev_from is 'Revision at which it was set.';
comment on column core.dataset_tag.rev_to is 'Revision at which it was moved or taken away; null while it points there.';

create table core.dataset_note (
    dataset_note_id bigint generated always as identity,
    dataset_id bigint not null,
    version integer,
    note text not null,
    actor text not null default session_user,
    created_at timestamptz not null default now(),
    constraint dataset_note_pk primary key (dataset_note_id),
    constraint dataset_note_check check (note <> ''),
    constraint dataset_note_actor_check check (actor <> ''),
    constraint dataset_note_dataset_fk foreign key (dataset_id)
        references core.dataset (dataset_id) on delete restrict,
    constraint dataset_note_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict
);
create index dataset_note_version_idx on core.dataset_note (dataset_id, version);
comment on table core.dataset_note is 'What was remarked on a dataset or one of its versions. Only ever added to.';
comment on column core.dataset_note.dataset_note_id is 'Identity of the note.';
comment on column core.dataset_note.dataset_id is 'The dataset.';
comment on column core.dataset_note.version is 'The version; null: the dataset as a whole.';
comment on column core.dataset_note.note is 'The remark.';
comment on column core.dataset_note.actor is 'Who made it.';
comment on column core.dataset_note.created_at is 'When.';

create function core.keep_note() returns trigger
language plpgsql as $$
begin
    raise exception 'notes stay as they were written'
        using errcode = 'SD003', hint = 'add another: smartdb dataset note';
end
$$;
comment on function core.keep_note() is 'Statement trigger: a note is never changed or deleted.';
create trigger keep_note before update or delete or truncate on core.dataset_note
    for each statement execute function core.keep_note();

create table core.dataset_pin (
    dataset_id bigint not null,
    version integer not null,
    reason text not null,
    actor text not null default session_user,
    created_at timestamptz not null default now(),
    constraint dataset_pin_pk primary key (dataset_id, version),
    constraint dataset_pin_reason_check check (reason <> ''),
    constraint dataset_pin_actor_check check (actor <> ''),
    constraint dataset_pin_version_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict
);
comment on table core.dataset_pin is 'Versions that must not be pruned, until the pin is taken out.';
comment on column core.dataset_pin.dataset_id is 'The dataset.';
comment on column core.dataset_pin.version is 'The version.';
comment on column core.dataset_pin.reason is 'Why it must be kept.';
comment on column core.dataset_pin.actor is 'Who pinned it.';
comment on column core.dataset_pin.created_at is 'When.';

create function core.version_use(dataset bigint, version integer) returns text
language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    r record;
    is_found boolean;
begin
    if not exists (
        select from core.dataset_version as v
        where v.dataset_id = dataset and v.version > version_use.version and v.sealed_at is not null
    ) then
        return 'it is the newest';
    elsif exists (
        select from core.dataset_tag as t
        where t.dataset_id = dataset and t.version = version_use.version and t.rev_to is null
    ) then
        return 'it has a tag';
    end if;
    for r in -- models, evaluations, exports, pins, and whatever else will refer to versions
        select
            c.conrelid::regclass as relation,
            (select a.attname from pg_attribute as a where a.attrelid = c.conrelid and a.attnum = c.conkey[1]) as dataset,
            (select a.attname from pg_attribute as a where a.attrelid = c.conrelid and a.attnum = c.conkey[2]) as version
        from pg_constraint as c
        where c.confrelid = 'core.dataset_version'::regclass and c.contype = 'f'
            and c.conrelid not in (
                'core.dataset_version'::regclass, 'core.dataset_tag'::regclass, 'core.dataset_note'::regclass)
        order by 1
    loop
        execute format('select exists (select from %s as t where t.%I = $1 and t.%I = $2)', r.relation, r.dataset, r.version)
        into is_found using dataset, version;
        if is_found then
            return 'a row of ' || r.relation || ' refers to it';
        end if;
    end loop;
    return null;
end
$$;
comment on function core.version_use(bigint, integer) is
    'Why a version must not be pruned: it is the newest, has a tag, or a pin, model, evaluation or the like refers to it. '
    'Null: nothing needs it.';

create function core.refuse_pruning(dataset bigint, version integer) returns void
language plpgsql as $$
declare
    reason constant text := core.version_use(dataset, version);
begin
    if reason is not null then
        raise exception 'version % cannot be pruned: %', version, reason
            using errcode = 'SD003', hint = 'take the tag or pin away first: smartdb dataset tag --remove, unpin';
    end if;
end
$$;
comment on function core.refuse_pruning(bigint, integer) is 'Raises SD003 if anything needs the version.';

create function core.keep_used_version() returns trigger
language plpgsql as $$
begin
    if exists (
        select from core.dataset_version as v
        where v.dataset_id = new.dataset_id and v.version = new.version and v.pruned_at is not null for share
    ) then
        raise exception 'version % was pruned: only its digest is left', new.version
            using errcode = 'SD003', hint = 'see: smartdb dataset list';
    end if;
    return new;
end
$$;
comment on function core.keep_used_version() is 'Row trigger: nothing may begin to refer to a version that was pruned.';
create trigger keep_used_version before insert on core.dataset_tag
    for each row execute function core.keep_used_version();
create trigger keep_used_version before insert on core.dataset_pin
    for each row execute function core.keep_used_version();

create function core.prune_versions(dataset bigint, versions integer[]) returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
declare
    n bigint;
begin
    update core.dataset_version as v set pruned_at = clock_timestamp()
    where v.dataset_id = dataset and v.version = any (versions) and v.pruned_at is null;
    delete from core.dataset_item as i
    where i.dataset_id = dataset and i.version_to is not null and not exists (
        select from core.dataset_version as v
        where v.dataset_id = dataset and v.pruned_at is null
            and v.version >= i.version_from and v.version < i.version_to
    );
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function core.prune_versions(bigint, integer[]) is
    'Gives up these versions of a dataset, and deletes the membership that no version left holds; returns how many rows of it. '
    'SD003, and nothing done, if one of them is needed.';
