-- Managing: vectors of regions, in one typed table for each encoder, keyed by label row. An edit of a
-- box is another row of core.label, so no vector is ever of another box than the one that is live.

call core.make_checker('region_embedding_refers', '{
    {label_id, core.label, label_id},
    {media_id, core.media, media_id}
}');

create table core.region_crop (
    encoder_id bigint not null,
    margin double precision not null,
    created_at timestamptz not null default now(),
    constraint region_crop_pk primary key (encoder_id),
    constraint region_crop_margin_check check (margin between 0 and 2),
    constraint region_crop_encoder_fk foreign key (encoder_id)
        references core.encoder (encoder_id) on delete restrict
);
comment on table core.region_crop is
    'How regions are cut out for an encoder, said once, with its first region: vectors of other crops cannot be compared.';
comment on column core.region_crop.encoder_id is 'The encoder.';
comment on column core.region_crop.margin is
    'What a region is widened by on each side, as a share of its own width and height.';
comment on column core.region_crop.created_at is 'When it was said.';

create function core.expose_regions(id bigint) returns void
language plpgsql as $$
begin
    execute format(
        'create view smartdb.region_embedding_%1$s as
         select r.label_id, r.media_id, r.v
         from core.region_embedding_%1$s as r
         join core.label as l on l.label_id = r.label_id
         where l.rev_to is null', id);
    execute format(
        'comment on view smartdb.region_embedding_%s is %L', id,
        'Unit vectors of the live regions by encoder ' || (select e.name from core.encoder as e where e.encoder_id = id)
        || ', one row a label: order by v <=> query for cosine distance.');
    execute format('comment on column smartdb.region_embedding_%s.label_id is %L', id, 'The label of the region.');
    execute format('comment on column smartdb.region_embedding_%s.media_id is %L', id, 'The media it is in.');
    execute format('comment on column smartdb.region_embedding_%s.v is %L', id, 'Its vector, of length 1.');
    execute format('grant select on smartdb.region_embedding_%s to smartdb_reader', id);
end
$$;
comment on function core.expose_regions(bigint) is
    'Makes the interface view smartdb.region_embedding_<id>; called by core.expose_encoder.';

create function core.add_region_embedding(id bigint) returns void
language plpgsql as $$
declare
    e core.encoder;
begin
    select * into strict e from core.encoder as r where r.encoder_id = id;
    execute format(
        'create table core.region_embedding_%1$s (
             label_id bigint not null,
             media_id bigint not null,
             v halfvec(%2$s) not null,
             constraint region_embedding_%1$s_pk primary key (label_id))', id, e.dim);
    execute format('create index region_embedding_%1$s_media_idx on core.region_embedding_%1$s (media_id)', id);
    execute format('call core.attach_checker(%L, ''region_embedding_refers'')', 'core.region_embedding_' || id);
    execute format('alter table core.region_embedding_%s alter column v set storage plain', id);
    execute format('comment on table core.region_embedding_%s is %L', id,
        'Vectors of regions by encoder ' || e.name || ', normalised to length 1.');
    execute format('call core.protect(%L)', 'core.region_embedding_' || id);
    execute format('grant select, insert, delete on core.region_embedding_%s to smartdb_writer', id);
end
$$;
comment on function core.add_region_embedding(bigint) is
    'Makes the table of region vectors of an encoder; called by core.add_encoder.';

create function core.index_regions(id bigint) returns void
language sql security definer set search_path = pg_catalog, public
begin atomic
    select core.index_vectors('region_embedding_' || e.encoder_id, e.dim)
    from core.encoder as e where e.encoder_id = id;
end;
comment on function core.index_regions(bigint) is
    'Builds the HNSW index (cosine) of an encoder''s region vectors; when it is worth it, see core.index_encoder.';
