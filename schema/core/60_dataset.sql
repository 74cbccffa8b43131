-- Managing: datasets, their sealed versions, and membership by intervals of versions.

create table core.dataset (
    dataset_id bigint generated always as identity,
    name text not null,
    ontology_id bigint not null,
    note text,
    created_at timestamptz not null default now(),
    constraint dataset_pk primary key (dataset_id),
    constraint dataset_name_key unique (name),
    constraint dataset_name_check check (name <> ''),
    constraint dataset_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict
);
create index dataset_ontology_idx on core.dataset (ontology_id);
call core.make_permanent('core.dataset', 'dataset_id');
comment on table core.dataset is 'A named set of media with their labels and splits, in versions.';
comment on column core.dataset.dataset_id is 'Identity of the dataset.';
comment on column core.dataset.name is 'Unique name, as shown to people.';
comment on column core.dataset.ontology_id is 'The ontology its labels are in.';
comment on column core.dataset.note is 'What it is for.';
comment on column core.dataset.created_at is 'When it was made.';

create table core.dataset_version (
    dataset_id bigint not null,
    version integer not null,
    revision bigint not null,
    query text not null,
    parameters jsonb not null default '{}',
    seed bigint not null,
    ontology_version integer not null,
    encoder_id bigint,
    batch_id bigint,
    parent_dataset_id bigint,
    parent_version integer,
    purpose text,
    message text not null,
    run_id bigint not null,
    n_items bigint,
    digest text,
    created_at timestamptz not null default now(),
    sealed_at timestamptz,
    pruned_at timestamptz,
    constraint dataset_version_pk primary key (dataset_id, version),
    constraint dataset_version_check check (version >= 1),
    constraint dataset_version_parent_check check ((parent_dataset_id is null) = (parent_version is null)),
    constraint dataset_version_pruned_check check (pruned_at is null or sealed_at is not null),
    constraint dataset_version_sealed_check check (
        (sealed_at is null and n_items is null and digest is null)
        or (sealed_at is not null and n_items is not null and digest is not null)),
    constraint dataset_version_dataset_fk foreign key (dataset_id)
        references core.dataset (dataset_id) on delete restrict,
    constraint dataset_version_encoder_fk foreign key (encoder_id)
        references core.encoder (encoder_id) on delete restrict,
    constraint dataset_version_batch_fk foreign key (batch_id)
        references core.batch (batch_id) on delete restrict,
    constraint dataset_version_parent_fk foreign key (parent_dataset_id, parent_version)
        references core.dataset_version (dataset_id, version) on delete restrict,
    constraint dataset_version_run_fk foreign key (run_id)
        references core.run (run_id) on delete restrict
);
create index dataset_version_run_idx on core.dataset_version (run_id);
create index dataset_version_encoder_idx on core.dataset_version (encoder_id);
create index dataset_version_batch_idx on core.dataset_version (batch_id);
create index dataset_version_parent_idx on core.dataset_version (parent_dataset_id, parent_version);
comment on table core.dataset_version is
    'A state of a dataset that never changes once sealed: a checkpoint of labels, membership, the query that made it, a digest.';
comment on column core.dataset_version.dataset_id is 'The dataset.';
comment on column core.dataset_version.version is 'Number of the version, from 1.';
comment on column core.dataset_version.revision is 'Checkpoint: its labels are those live at this revision.';
comment on column core.dataset_version.query is 'Predicate on smartdb.media that chose its members.';
comment on column core.dataset_version.parameters is 'Split shares and whatever else went in.';
comment on column core.dataset_version.seed is 'Seed of the split.';
comment on column core.dataset_version.ontology_version is 'Version of the ontology when it was made.';
comment on column core.dataset_version.encoder_id is 'The encoder whose vectors chose its members, where one did.';
comment on column core.dataset_version.batch_id is 'The batch its members were taken from, where they were.';
comment on column core.dataset_version.parent_dataset_id is
    'The dataset of the version it was made from by name: a restored, forked or changed one. Null: from the query alone.';
comment on column core.dataset_version.parent_version is 'That version.';
comment on column core.dataset_version.purpose is
    'The use it is meant for, for instance training; its members allow it. Null: not declared.';
comment on column core.dataset_version.message is 'What changed and why.';
comment on column core.dataset_version.run_id is 'The run that made it.';
comment on column core.dataset_version.n_items is 'Number of members.';
comment on column core.dataset_version.digest is
    'Order-independent digest of members, splits and labels by content; see smartdb.dataset_digest.';
comment on column core.dataset_version.created_at is 'When it was begun.';
comment on column core.dataset_version.sealed_at is 'When it was sealed.';
comment on column core.dataset_version.pruned_at is
    'When its membership was given up to save space; what it was, this row and its digest still say. Null: it is there.';

create table core.dataset_item (
    dataset_id bigint not null,
    media_id bigint not null,
    split text not null,
    version_from integer not null,
    version_to integer,
    constraint dataset_item_split_check check (split in ('train', 'val', 'test')),
    constraint dataset_item_version_check check (version_to > version_from)
);
create unique index dataset_item_key on core.dataset_item (media_id, dataset_id, version_to) nulls not distinct;
create index dataset_item_from_idx on core.dataset_item using brin (dataset_id, version_from)
    with (pages_per_range = 16, autosummarize = on); -- the rows of a version lie together
create index dataset_item_to_idx on core.dataset_item (dataset_id, version_to) where version_to is not null;
comment on table core.dataset_item is
    'Membership by intervals: in version v if version_from <= v and (version_to is null or version_to > v).';
comment on column core.dataset_item.dataset_id is 'The dataset.';
comment on column core.dataset_item.media_id is 'The member.';
comment on column core.dataset_item.split is 'train, val or test.';
comment on column core.dataset_item.version_from is 'First version with this member in this split.';
comment on column core.dataset_item.version_to is 'First version without; null: it is in the newest.';

create function core.refuse_sealed(dataset bigint, versions integer[]) returns void
language plpgsql as $$
declare
    v integer;
begin
    select min(u.version) into v
    from unnest(versions) as u (version)
    left join core.dataset_version as d on d.dataset_id = dataset and d.version = u.version
    where d.version is null or d.sealed_at is not null;
    if found and v is not null then
        raise exception 'version % of dataset % is sealed or does not exist', v, dataset
            using errcode = 'SD003', hint = 'make a new version: smartdb dataset create';
    end if;
end
$$;
comment on function core.refuse_sealed(bigint, integer[]) is
    'Raises SD003 unless all these versions of the dataset exist and are not sealed.';

create function core.keep_sealed_items() returns trigger
language plpgsql as $$
begin
    if tg_op = 'TRUNCATE' then
        raise exception 'dataset items cannot be deleted while a version holds them'
            using errcode = 'SD003', hint = 'see: smartdb dataset prune';
    elsif tg_op = 'INSERT' then
        perform core.refuse_sealed(c.dataset_id, array_agg(c.version))
        from (
            select distinct dataset_id, version_from as version from changed
            union select distinct dataset_id, version_to from changed where version_to is not null
        ) as c group by c.dataset_id;
    elsif tg_op = 'UPDATE' then
        if exists (select from before where version_to is not null) then
            raise exception 'membership that has ended belongs to sealed versions'
                using errcode = 'SD003', hint = 'make a new version: smartdb dataset create';
        end if;
        perform core.refuse_sealed(c.dataset_id, array_agg(c.version))
        from (select distinct dataset_id, version_to as version from changed) as c
        group by c.dataset_id;
    elsif exists (
        select from (select distinct b.dataset_id, b.version_from, b.version_to from before as b) as i
        join core.dataset_version as v
            on v.dataset_id = i.dataset_id and v.pruned_at is null
            and v.version >= i.version_from and (i.version_to is null or v.version < i.version_to)
    ) then
        raise exception 'dataset items cannot be deleted while a version holds them'
            using errcode = 'SD003', hint = 'end the membership in a new version, or see: smartdb dataset prune';
    end if;
    return null;
end
$$;
comment on function core.keep_sealed_items() is
    'Statement trigger: membership changes only in a version that is not sealed yet, and goes only when no version is left '
    'that holds it.';
create trigger keep_inserted after insert on core.dataset_item
    referencing new table as changed
    for each statement execute function core.keep_sealed_items();
create trigger keep_updated after update on core.dataset_item
    referencing old table as before new table as changed
    for each statement execute function core.keep_sealed_items();
create trigger keep_deleted after delete on core.dataset_item
    referencing old table as before
    for each statement execute function core.keep_sealed_items();
create trigger keep_all before truncate on core.dataset_item
    for each statement execute function core.keep_sealed_items();

create function core.keep_item_facts() returns trigger
language plpgsql as $$
begin
    raise exception 'only the end of a membership can be written'
        using errcode = 'SD003', hint = 'end it and insert another row in a new version';
end
$$;
comment on function core.keep_item_facts() is 'Statement trigger: the other columns of a membership never change.';
create trigger keep_facts before update of dataset_id, media_id, split, version_from
    on core.dataset_item for each statement execute function core.keep_item_facts();
call core.refer('core.dataset_item', '{
    {dataset_id, core.dataset, dataset_id},
    {media_id, core.media, media_id}
}');

create function core.keep_sealed_version() returns trigger
language plpgsql as $$
begin
    if tg_op <> 'TRUNCATE' and old.sealed_at is null then
        return case when tg_op = 'DELETE' then old else new end;
    end if;
    if tg_op = 'UPDATE' and old.pruned_at is null and new.pruned_at is not null then
        old.pruned_at := new.pruned_at;
        if old is not distinct from new then
            perform core.refuse_pruning(old.dataset_id, old.version);
            return new;
        end if;
    end if;
    raise exception 'sealed dataset versions cannot change'
        using errcode = 'SD003', hint = 'make a new version: smartdb dataset create';
end
$$;
comment on function core.keep_sealed_version() is
    'Trigger: a sealed version never changes, but that it may be pruned where nothing needs it.';
create trigger keep_sealed before update or delete on core.dataset_version
    for each row execute function core.keep_sealed_version();
create trigger keep_all before truncate on core.dataset_version
    for each statement execute function core.keep_sealed_version();

create function core.next_digest(dataset bigint, version integer) returns text
language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
    name constant text := (select d.name from core.dataset as d where d.dataset_id = dataset);
    this core.dataset_version;
    last core.dataset_version;
    touched bigint[];
begin
    select v.* into this from core.dataset_version as v
    where v.dataset_id = dataset and v.version = next_digest.version;
    select v.* into last from core.dataset_version as v
    where v.dataset_id = dataset and v.version < next_digest.version and v.sealed_at is not null
    order by v.version desc limit 1;
    if not found or exists ( -- what was erased no longer counts in the version before
        select from core.tombstone as t join core.dataset_item as i on i.media_id = t.media_id
        where i.dataset_id = dataset and i.version_from <= last.version
            and (i.version_to is null or i.version_to > last.version)
    ) then
        return smartdb.dataset_digest(name, version);
    end if;
    touched := array(
        select i.media_id from core.dataset_item as i
        where i.dataset_id = dataset and i.version_from > last.version and i.version_from <= next_digest.version
        union
        select i.media_id from core.dataset_item as i
        where i.dataset_id = dataset and i.version_to > last.version and i.version_to <= next_digest.version
        union
        select l.media_id from core.label as l
        where l.rev_from > last.revision and l.rev_from <= this.revision and l.origin <> 'model'
        union
        select l.media_id from core.label as l
        where l.rev_to > last.revision and l.rev_to <= this.revision and l.origin <> 'model'
    );
    if cardinality(touched) > last.n_items / 8 then
        return smartdb.dataset_digest(name, version);
    end if;
    return (
        select split_part(last.digest, ':', 1)::bigint - was.n + now.n || ':'
            || split_part(last.digest, ':', 2)::numeric - was.total + now.total
        from smartdb.dataset_facts(name, last.version, touched) as was,
            smartdb.dataset_facts(name, next_digest.version, touched) as now
    );
end
$$;
comment on function core.next_digest(bigint, integer) is
    'smartdb.dataset_digest of a version that is about to be sealed, hidden media included: from the digest of the version '
    'before and what has changed since, unless much has.';

create function core.count_digest(dataset bigint, version integer, out digest text, out n_erased bigint)
language plpgsql stable security definer set search_path = pg_catalog, public as $$
begin
    n_erased := (
        select count(*)
        from core.tombstone as t join core.dataset_item as i on i.media_id = t.media_id
        where i.dataset_id = dataset and i.version_from <= count_digest.version
            and (i.version_to is null or i.version_to > count_digest.version)
    );
    digest := (
        select smartdb.dataset_digest(d.name, v.version)
        from core.dataset_version as v join core.dataset as d using (dataset_id)
        where v.dataset_id = dataset and v.version = count_digest.version and v.pruned_at is null
    );
end
$$;
comment on function core.count_digest(bigint, integer) is
    'smartdb.dataset_digest of a version, hidden media included, and how many of its members were erased. Null if it was pruned.';

create function core.keep_class_name() returns trigger
language plpgsql as $$
begin
    raise exception 'a class keeps its name: sealed dataset versions and history name it'
        using errcode = 'SD003', hint = 'retire it (version_to) and add one that replaces it (replaces_class_id)';
end
$$;
comment on function core.keep_class_name() is 'Statement trigger: classes are never renamed in place.';
create trigger keep_name before update of name on core.class
    for each statement execute function core.keep_class_name();
