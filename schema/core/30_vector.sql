-- Managing: encoders, one typed table of vectors for each, and the neighbour graph on top.

create table core.encoder (
    encoder_id bigint generated always as identity,
    name text not null,
    dim integer not null,
    weights_sha256 bytea,
    preprocessing jsonb not null default '{}',
    created_at timestamptz not null default now(),
    constraint encoder_pk primary key (encoder_id),
    constraint encoder_name_key unique (name),
    constraint encoder_name_check check (name <> ''),
    constraint encoder_dim_check check (dim between 1 and 4000),
    constraint encoder_weights_check check (octet_length(weights_sha256) = 32)
);
call core.make_permanent('core.encoder', 'encoder_id');
comment on table core.encoder is 'What turns a media into a vector; owns the table core.embedding_<encoder_id>.';
comment on column core.encoder.encoder_id is 'Identity of the encoder.';
comment on column core.encoder.name is 'Unique name, the one given to smartdb embed --encoder.';
comment on column core.encoder.dim is 'Length of its vectors (halfvec can be indexed to 4,000).';
comment on column core.encoder.weights_sha256 is 'SHA-256 of its weights; null for one without weights.';
comment on column core.encoder.preprocessing is 'How pixels are prepared: size, mean, standard deviation, channel order.';
comment on column core.encoder.created_at is 'When it was registered.';

call core.make_checker('embedding_refers', '{{media_id, core.media, media_id}}');

create function core.expose_encoder(id bigint) returns void
language plpgsql as $$
begin
    execute format(
        'create view smartdb.embedding_%1$s as select media_id, v from core.embedding_%1$s', id);
    execute format(
        'comment on view smartdb.embedding_%s is %L', id,
        'Unit vectors of encoder ' || (select e.name from core.encoder as e where e.encoder_id = id)
        || ', one row a media: order by v <=> query for cosine distance.');
    execute format('comment on column smartdb.embedding_%s.media_id is %L', id, 'The media.');
    execute format('comment on column smartdb.embedding_%s.v is %L', id, 'Its vector, of length 1.');
    execute format('grant select on smartdb.embedding_%s to smartdb_reader', id);
    perform core.expose_regions(id);
end
$$;
comment on function core.expose_encoder(bigint) is
    'Makes the interface views smartdb.embedding_<id> and region_embedding_<id>; called for a new encoder and at each '
    'rebuild of the interface.';

create function core.add_encoder(
    name text, dim integer, weights_sha256 bytea default null, preprocessing jsonb default '{}'
) returns bigint
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    known core.encoder;
    id bigint;
begin
    perform pg_advisory_xact_lock(7360402);
    select * into known from core.encoder as e where e.name = add_encoder.name;
    if found then
        if known.dim <> add_encoder.dim
            or known.weights_sha256 is distinct from add_encoder.weights_sha256 then
            raise exception 'encoder % is registered with other weights', add_encoder.name
                using errcode = 'SD005', hint = 'give the new weights a name of their own';
        end if;
        return known.encoder_id;
    end if;
    insert into core.encoder (name, dim, weights_sha256, preprocessing)
    values (add_encoder.name, add_encoder.dim, add_encoder.weights_sha256, add_encoder.preprocessing)
    returning encoder_id into id;
    execute format(
        'create table core.embedding_%1$s (
             media_id bigint not null,
             v halfvec(%2$s) not null,
             constraint embedding_%1$s_pk primary key (media_id))', id, add_encoder.dim);
    execute format('call core.attach_checker(%L, ''embedding_refers'')', 'core.embedding_' || id);
    execute format('alter table core.embedding_%s alter column v set storage plain', id);
    execute format('comment on table core.embedding_%s is %L', id,
        'Vectors of encoder ' || add_encoder.name || ', normalised to length 1.');
    execute format('call core.protect(%L)', 'core.embedding_' || id);
    execute format(
        'create trigger forget_vectors after delete on core.embedding_%1$s referencing old table as gone
         for each statement execute function core.forget_vectors(%1$s)', id);
    execute format('grant select, insert, delete on core.embedding_%s to smartdb_writer', id);
    perform core.add_region_embedding(id);
    perform core.expose_encoder(id);
    return id;
end
$$;
comment on function core.add_encoder(text, integer, bytea, jsonb) is
    'Registers an encoder with its table of vectors and returns its id; the same name with the '
    'same weights returns the id it has, with other weights it is refused (SD005).';

create function core.index_vectors(relation text, dim integer) returns void
language plpgsql as $$
declare
    -- what the graph takes while it is built; beyond the memory it goes on, many times slower
    wanted constant bigint := pg_relation_size('core.' || relation) / 1024 * (2 * dim + 750) / (2 * dim + 60);
    given constant bigint := pg_size_bytes(current_setting('maintenance_work_mem')) / 1024;
begin
    if wanted > given then
        perform set_config('maintenance_work_mem', least(wanted, 2 * given)::text, true);
    end if;
    execute format(
        'create index if not exists %1$s_hnsw on core.%1$s
         using hnsw (v halfvec_cosine_ops) with (m = 16, ef_construction = 128)', relation);
end
$$;
comment on function core.index_vectors(text, integer) is
    'Builds the HNSW index (cosine) of a table of vectors of core, with the memory that it takes.';

create function core.index_encoder(id bigint) returns void
language sql security definer set search_path = pg_catalog, public
begin atomic
    select core.index_vectors('embedding_' || e.encoder_id, e.dim)
    from core.encoder as e where e.encoder_id = id;
end;
comment on function core.index_encoder(bigint) is
    'Builds the HNSW index (cosine) of an encoder''s vectors. Worth it above some hundred thousand '
    'vectors; below that the exact scan is quick and has recall 1.';

create table core.neighbour (
    encoder_id bigint not null,
    media_id bigint not null,
    rank smallint not null,
    neighbour_id bigint not null,
    distance real not null,
    constraint neighbour_pk primary key (media_id, encoder_id, rank),
    constraint neighbour_rank_check check (rank >= 1),
    constraint neighbour_other_check check (neighbour_id <> media_id)
);
create index neighbour_neighbour_idx on core.neighbour (neighbour_id);
call core.refer('core.neighbour', '{
    {encoder_id, core.encoder, encoder_id},
    {media_id, core.media, media_id},
    {neighbour_id, core.media, media_id}
}');
comment on table core.neighbour is
    'Edges of the k-nearest-neighbour graph: duplicates, leakage, uniqueness and outliers read it.';
comment on column core.neighbour.encoder_id is 'Encoder whose vectors were compared.';
comment on column core.neighbour.media_id is 'The media.';
comment on column core.neighbour.rank is '1 is the nearest.';
comment on column core.neighbour.neighbour_id is 'The neighbour; never the media itself.';
comment on column core.neighbour.distance is 'Cosine distance, 0 (same direction) to 2.';

create table core.duplicate (
    media_id bigint not null,
    group_id bigint not null,
    run_id bigint not null,
    group_sha256 bytea,
    constraint duplicate_pk primary key (media_id)
);
create index duplicate_group_idx on core.duplicate (group_id);
call core.refer('core.duplicate', '{
    {media_id, core.media, media_id},
    {group_id, core.media, media_id},
    {run_id, core.run, run_id}
}');
create function core.name_group() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    new.group_sha256 := (select m.sha256 from core.media as m where m.media_id = new.group_id);
    return new;
end
$$;
comment on function core.name_group() is 'Row trigger of near-duplicates: fills in group_sha256, of a hidden media too.';
create trigger name_group before insert on core.duplicate for each row execute function core.name_group();
comment on table core.duplicate is 'Members of the near-duplicate groups (two or more media each).';
comment on column core.duplicate.media_id is 'The member.';
comment on column core.duplicate.group_id is 'The group, named by its smallest media_id.';
comment on column core.duplicate.group_sha256 is
    'SHA-256 of that media, which names the group in splits. It is kept here, for the media may be hidden by now, '
    'and what is left of the group must not move.';
comment on column core.duplicate.run_id is 'The run that found the group.';

create table core.duplicate_pair (
    encoder_id bigint not null,
    media_id bigint not null,
    other_id bigint not null,
    bits smallint not null,
    distance real not null,
    constraint duplicate_pair_pk primary key (media_id, other_id, encoder_id),
    constraint duplicate_pair_order_check check (media_id < other_id),
    constraint duplicate_pair_bits_check check (bits between 0 and 64)
);
create index duplicate_pair_other_idx on core.duplicate_pair (other_id);
call core.refer('core.duplicate_pair', '{
    {encoder_id, core.encoder, encoder_id},
    {media_id, core.media, media_id},
    {other_id, core.media, media_id}
}');
comment on table core.duplicate_pair is
    'Media whose perceptual hashes hardly differ, with the distance of their vectors: candidates of near-duplicates.';
comment on column core.duplicate_pair.encoder_id is 'Encoder whose vectors were compared.';
comment on column core.duplicate_pair.media_id is 'The media with the smaller id.';
comment on column core.duplicate_pair.other_id is 'The other media.';
comment on column core.duplicate_pair.bits is 'Bits in which the hashes differ, of 64.';
comment on column core.duplicate_pair.distance is 'Cosine distance of the vectors, 0 to 2.';
