-- Full text: what is written about each media, in captions, attributes and the names of its files,
-- as one document. Triggers write it in the transaction of what it is made of, so it is never
-- stale. No row-level security: a policy would keep `@@` from the index, because that operator is
-- not leakproof. Nobody but core.text_match may read it, and that leaves restricted media out.

create table core.media_text (
    media_id bigint not null,
    document tsvector not null,
    constraint media_text_pk primary key (media_id)
);
create index media_text_document_idx on core.media_text using gin (document);
comment on table core.media_text is 'What is written about each media, to be searched by words.';
comment on column core.media_text.media_id is 'The media.';
comment on column core.media_text.document is
    'Stems of English words: of its captions (weight A), its attributes (B), the paths of its files (C).';

create function core.path_words(uri text) returns text
language plpgsql immutable parallel safe as $$
declare
    path text := substr(uri, strpos(uri, '://') + 3);
begin
    if strpos(path, '%') > 0 then
        begin
            select convert_from(decode(string_agg(
                case when p.part[1] ~ '^%[0-9A-Fa-f]{2}$' then substr(p.part[1], 2)
                    else encode(convert_to(p.part[1], 'UTF8'), 'hex') end, '' order by p.place), 'hex'), 'UTF8')
            into path
            from regexp_matches(path, '%[0-9A-Fa-f]{2}|[^%]+|%', 'g') with ordinality as p (part, place);
        exception when character_not_in_repertoire or untranslatable_character then -- no name in UTF-8
            path := regexp_replace(path, '%[0-9A-Fa-f]{2}', ' ', 'g');
        end;
    end if;
    return translate(path, '/\._-+=#&?:', '           ');
end
$$;
comment on function core.path_words(text) is
    'The words of a URI''s path: percent-decoded, and parted where file names part them.';

create function core.media_document(ids bigint[]) returns table (media_id bigint, document tsvector)
language sql stable
begin atomic
    select
        m.media_id,
        setweight(to_tsvector('english', coalesce(c.words, '')), 'A')
        || setweight(case
            when m.attributes = '{}' or pg_column_size(m.attributes) > 65536 then '' -- a tsvector holds 1 MB
            else jsonb_to_tsvector('english', m.attributes, '["key", "string", "numeric"]')
        end, 'B')
        || setweight(to_tsvector('english', coalesce(p.words, '')), 'C')
    from core.media as m
    left join lateral (
        select left(string_agg(l.shape ->> 'text', ' ' order by l.label_id), 200000) as words from core.label as l
        where l.media_id = m.media_id and l.kind = 'caption' and l.rev_to is null
    ) as c on true
    left join lateral (
        select left(string_agg(core.path_words(l.uri), ' ' order by l.uri), 200000) as words
        from core.media_location as l
        where l.media_id = m.media_id and not l.is_managed
    ) as p on true
    where m.media_id = any (ids) and m.erased_at is null;
end;
comment on function core.media_document(bigint[]) is 'The documents of media as they should be now; none of erased ones.';

create function core.index_text(ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    known bigint[];
begin
    with made as (
        insert into core.media_text (media_id, document)
        select d.media_id, d.document from core.media_document(ids) as d order by d.media_id
        on conflict (media_id) do nothing
        returning media_id
    )
    select array_agg(i.id) into known
    from unnest(ids) as i (id) where i.id not in (select m.media_id from made as m);
    if known is not null then -- who writes them at the same time is waited for, then seen
        perform from core.media_text as t where t.media_id = any (known) order by t.media_id for update;
        update core.media_text as t set document = d.document
        from core.media_document(known) as d
        where t.media_id = d.media_id and t.document <> d.document;
    end if;
end
$$;
comment on function core.index_text(bigint[]) is 'Writes the documents of media anew.';

create function core.index_located() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform core.index_text(array(select distinct c.media_id from changed as c));
    return null;
end
$$;
comment on function core.index_located() is 'Statement trigger of locations: writes the documents of the media that lie there.';
create trigger index_located after insert on core.media_location referencing new table as changed
for each statement execute function core.index_located();

create function core.index_moved() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform core.index_text(array[old.media_id, new.media_id]);
    return null;
end
$$;
comment on function core.index_moved() is 'Row trigger of locations: the file holds another media now.';
create trigger index_moved after update of media_id on core.media_location
for each row when (old.media_id <> new.media_id) execute function core.index_moved();

create function core.index_described() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform core.index_text(array(
        select c.media_id from changed as c join before as b on b.media_id = c.media_id
        where c.attributes <> b.attributes));
    return null;
end
$$;
comment on function core.index_described() is 'Statement trigger of media: writes the documents of those whose attributes changed.';
create trigger index_described after update on core.media
referencing old table as before new table as changed
for each statement execute function core.index_described();

create function core.index_captioned() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    ids constant bigint[] := array(select distinct c.media_id from changed as c where c.kind = 'caption');
begin
    if cardinality(ids) > 0 then
        perform core.index_text(ids);
    end if;
    return null;
end
$$;
comment on function core.index_captioned() is 'Statement trigger of labels: writes the documents of the media with new captions.';
create trigger index_captioned after insert on core.label referencing new table as changed
for each statement execute function core.index_captioned();

create function core.index_retracted() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform core.index_text(array[new.media_id]);
    return null;
end
$$;
comment on function core.index_retracted() is 'Row trigger of labels: a caption was closed.';
create trigger index_retracted after update on core.label
for each row when (old.kind = 'caption' and old.rev_to is null and new.rev_to is not null)
execute function core.index_retracted();

create function core.text_match(query tsquery, n bigint default null)
returns table (media_id bigint, score real)
language sql stable security definer rows 1000
begin atomic
    select t.media_id, ts_rank(t.document, query, 1)
    from core.media_text as t
    where t.document @@ query and t.media_id not in (select r.media_id from core.restriction as r)
    order by 2 desc, 1
    limit n;
end;
comment on function core.text_match(tsquery, bigint) is
    'The media whose documents match, best first (ts_rank, divided by 1 + log of the length), the first n or all; restricted '
    'ones never.';
