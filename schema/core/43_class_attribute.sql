-- Annotating: what labels say of a thing besides its class, and the check of every new label.

create table core.class_attribute (
    attribute_id bigint generated always as identity,
    class_id bigint not null,
    name text not null,
    type text not null,
    choices text[],
    minimum double precision,
    maximum double precision,
    is_required boolean not null default false,
    condition jsonb,
    note text,
    place integer not null default 1,
    version_from integer not null,
    version_to integer,
    replaces_attribute_id bigint,
    constraint class_attribute_pk primary key (attribute_id),
    constraint class_attribute_name_check check (name <> ''),
    constraint class_attribute_type_check check (type in ('text', 'number', 'choice', 'multi', 'boolean')),
    constraint class_attribute_choices_check check ((type in ('choice', 'multi')) = (coalesce(cardinality(choices), 0) > 0)),
    constraint class_attribute_range_check check (
        (type = 'number' or num_nonnulls(minimum, maximum) = 0) and (minimum <= maximum) is not false),
    constraint class_attribute_condition_check check (jsonb_typeof(condition) = 'object'),
    constraint class_attribute_version_check check (version_to > version_from),
    constraint class_attribute_class_fk foreign key (class_id)
        references core.class (class_id) on delete restrict,
    constraint class_attribute_replaces_fk foreign key (replaces_attribute_id)
        references core.class_attribute (attribute_id) on delete restrict
);
create unique index class_attribute_name_key on core.class_attribute (class_id, name) where version_to is null;
create index class_attribute_class_idx on core.class_attribute (class_id);
create index class_attribute_replaces_idx on core.class_attribute (replaces_attribute_id)
    where replaces_attribute_id is not null;
comment on table core.class_attribute is
    'Attributes of a class; in version v if version_from <= v and (version_to is null or version_to > v).';
comment on column core.class_attribute.attribute_id is 'Identity of this state of the attribute.';
comment on column core.class_attribute.class_id is 'The class whose labels carry it.';
comment on column core.class_attribute.name is 'Name, unique among the attributes of the class.';
comment on column core.class_attribute.type is 'text, number, choice (one of), multi (some of) or boolean.';
comment on column core.class_attribute.choices is 'What may be chosen, in the order in which people see it.';
comment on column core.class_attribute.minimum is 'Least number that is allowed; null: no limit.';
comment on column core.class_attribute.maximum is 'Greatest number that is allowed; null: no limit.';
comment on column core.class_attribute.is_required is 'Whether a label must carry it, where its condition holds.';
comment on column core.class_attribute.condition is
    'Other attributes with the values at which this one may be given: {"breed": ["pug", "poodle"]}; null: always.';
comment on column core.class_attribute.note is 'What annotators read about it.';
comment on column core.class_attribute.place is 'Its place in the form, from 1.';
comment on column core.class_attribute.version_from is 'First version that has it so.';
comment on column core.class_attribute.version_to is 'First version that no longer has it so; null: it is in use.';
comment on column core.class_attribute.replaces_attribute_id is 'What it was before it changed or got its name.';

create function core.keep_attribute() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_op = 'UPDATE' then
        if old.version_to is not null or new.version_to is distinct from core.newest_version(old.class_id) then
            raise exception 'attribute % can change only in a new version of its ontology', old.name
                using errcode = 'SD003', hint = 'versions never change: smartdb ontology change makes the next';
        end if;
    elsif new.version_from <> core.newest_version(new.class_id) then
        raise exception 'attribute % belongs to an old version of its ontology', new.name
            using errcode = 'SD003', hint = 'versions never change: smartdb ontology change makes the next';
    end if;
    return new;
end
$$;
comment on function core.keep_attribute() is 'Row trigger: attributes come and go only with a new version.';
create trigger keep_attribute before insert or update on core.class_attribute
    for each row execute function core.keep_attribute();

create function core.meets(attributes jsonb, condition jsonb) returns boolean
language sql immutable parallel safe
return condition is null or not exists (
    select from jsonb_each(condition) as c (name, allowed)
    where not coalesce(
        case jsonb_typeof(attributes -> c.name)
            when 'array' then exists (
                select from jsonb_array_elements(attributes -> c.name) as e (one) where c.allowed @> e.one
            )
            else c.allowed @> (attributes -> c.name)
        end, false)
);
comment on function core.meets(jsonb, jsonb) is
    'Whether attributes have, for each name of the condition, one of the values beside it. Null condition: true.';

create function core.is_unfit(
    value jsonb, type text, choices text[], minimum double precision, maximum double precision
) returns boolean
language sql immutable parallel safe -- an expression that is taken into the query that calls it
return case type
    when 'number' then case
        when jsonb_typeof(value) <> 'number' then true
        else value < coalesce(to_jsonb(minimum), value) or value > coalesce(to_jsonb(maximum), value)
    end
    when 'choice' then jsonb_typeof(value) <> 'string' or (value #>> '{}') <> all (choices)
    when 'multi' then jsonb_typeof(value) <> 'array' or not to_jsonb(choices) @> value
    else jsonb_typeof(value) <> case type when 'text' then 'string' else 'boolean' end
end;
comment on function core.is_unfit(jsonb, text, text[], double precision, double precision) is
    'Whether an attribute of this type, choices and range cannot have the value.';

create function core.attribute_problems(class bigint, given jsonb)
returns table (attribute text, problem text, allowed text)
language sql stable
begin atomic
    select
        e.name,
        case
            when a.attribute_id is null then 'is not an attribute of the class'
            when not core.meets(given, a.condition) then 'is given though ' || a.condition::text || ' does not hold'
            else 'is ' || e.value::text
        end,
        case
            when a.attribute_id is null then coalesce((
                select string_agg(quote_literal(o.name), ', ' order by o.place) from core.class_attribute as o
                where o.class_id = class and o.version_to is null), 'none')
            when not core.meets(given, a.condition) then 'leave it out'
            else concat_ws(
                ' ', case a.type when 'multi' then 'a list of' when 'choice' then 'one of' else 'a ' || a.type end,
                array_to_string(a.choices, ', '), 'from ' || a.minimum, 'to ' || a.maximum)
        end
    from jsonb_each(given) as e (name, value)
    left join core.class_attribute as a on a.class_id = class and a.name = e.name and a.version_to is null
    where
        case
            when a.attribute_id is null then
                not (select c.is_open from core.class as c where c.class_id = class)
            else core.is_unfit(e.value, a.type, a.choices, a.minimum, a.maximum)
                or (a.condition is not null and not core.meets(given, a.condition))
        end
    union all
    select
        a.name, 'is missing',
        concat_ws(
            ' ', case a.type when 'multi' then 'a list of' when 'choice' then 'one of' else 'a ' || a.type end,
            array_to_string(a.choices, ', '), 'from ' || a.minimum, 'to ' || a.maximum)
    from core.class_attribute as a
    where
        a.class_id = class and a.version_to is null and a.is_required
        and not coalesce(given, '{}') ? a.name and core.meets(coalesce(given, '{}'), a.condition);
end;
comment on function core.attribute_problems(bigint, jsonb) is
    'What the newest version of its class has against the attributes of a label, and what it would allow; no row: nothing.';

create function core.label_problem(class bigint, kind text, attributes jsonb, shape jsonb) returns text
language sql stable security definer
begin atomic
    select case
        when c.version_to is not null then format(
            'class %L was retired in version %s of ontology %L; %s', c.name, c.version_to, o.name,
            coalesce((
                select 'it is now called ' || quote_literal(n.name) from core.class as n
                where n.replaces_class_id = c.class_id limit 1), 'choose another class'))
        when label_problem.kind <> all (c.kinds) then format(
            'class %L of ontology %L takes no label of kind %s; allowed: %s', c.name, o.name, label_problem.kind,
            array_to_string(c.kinds, ', '))
        when label_problem.kind = 'keypoints' and jsonb_array_length(shape -> 'points')
            <> jsonb_array_length(c.skeleton -> 'points') then format(
            'class %L of ontology %L has %s keypoints, not %s: %s', c.name, o.name,
            jsonb_array_length(c.skeleton -> 'points'), jsonb_array_length(shape -> 'points'),
            (select string_agg(p.name, ', ') from jsonb_array_elements_text(c.skeleton -> 'points') as p (name)))
        else (
            select format(
                'attribute %L of class %L of ontology %L %s; allowed: %s', p.attribute, c.name, o.name,
                p.problem, p.allowed)
            from core.attribute_problems(c.class_id, attributes) as p
            order by p.attribute limit 1)
    end
    from core.class as c join core.ontology as o on o.ontology_id = c.ontology_id
    where c.class_id = class;
end;
comment on function core.label_problem(bigint, text, jsonb, jsonb) is
    'What the newest version of its ontology has against a label, in words; null: nothing.';

create function core.fit_labels() returns trigger
language plpgsql security definer set search_path = pg_catalog
set enable_sort = off as $$ -- a few classes of many rows: hashed
declare
    bad record;
    ruled bigint[];
begin
    with said as (select distinct c.class_id, c.kind from changed as c)
    select
        coalesce(bool_or(k.version_to is not null or s.kind <> all (k.kinds)), false) as is_any,
        array_agg(k.class_id) filter (where not k.is_open or exists (
            select from core.class_attribute as a where a.class_id = k.class_id and a.version_to is null
        )) as ruled,
        coalesce(bool_or(s.kind = 'keypoints' and k.skeleton is not null), false) as has_skeleton
    into bad
    from said as s join core.class as k on k.class_id = s.class_id;
    ruled := bad.ruled;
    if bad.is_any or bad.has_skeleton then
        select c.media_id, core.label_problem(c.class_id, c.kind, null, c.shape) as problem into bad
        from changed as c join core.class as k on k.class_id = c.class_id
        where k.version_to is not null or c.kind <> all (k.kinds)
            or (c.kind = 'keypoints' and jsonb_array_length(c.shape -> 'points')
                <> jsonb_array_length(k.skeleton -> 'points'))
        limit 1;
        if found then
            perform core.refuse_label(bad.media_id, bad.problem);
        end if;
    end if;
    if ruled is not null then
        with said as materialized (
            select distinct c.class_id, c.attributes from changed as c where c.class_id = any (ruled)
        )
        select s.class_id, s.attributes into bad
        from said as s
        cross join lateral jsonb_each(s.attributes) as e (name, value)
        join core.class as k on k.class_id = s.class_id
        left join core.class_attribute as a
            on a.class_id = s.class_id and a.name = e.name and a.version_to is null
        where case
            when a.attribute_id is null then not k.is_open
            else core.is_unfit(e.value, a.type, a.choices, a.minimum, a.maximum)
                or (a.condition is not null and not core.meets(s.attributes, a.condition))
        end
        union all
        select s.class_id, s.attributes
        from said as s
        join core.class_attribute as a on a.class_id = s.class_id and a.version_to is null and a.is_required
        where not coalesce(s.attributes, '{}') ? a.name
            and (a.condition is null or core.meets(coalesce(s.attributes, '{}'), a.condition))
        limit 1;
        if found then
            perform core.refuse_label(c.media_id, core.label_problem(c.class_id, c.kind, c.attributes, null))
            from changed as c
            where c.class_id = bad.class_id and c.attributes is not distinct from bad.attributes
            limit 1;
        end if;
    end if;
    return null;
end
$$;
comment on function core.fit_labels() is
    'Statement trigger: new labels are what the newest version of their ontology allows. Each class, kind and set of '
    'attributes is looked at once, however many labels say it; rows that are there are never looked at again.';

create function core.refuse_label(media bigint, problem text) returns void
language plpgsql as $$
begin
    raise exception 'label of media %: %', media, problem
        using errcode = 'SD002', hint = 'see: select * from smartdb.class_attribute, or smartdb ontology show';
end
$$;
comment on function core.refuse_label(bigint, text) is 'Raises SD002 for a label that its ontology does not allow.';

create trigger fits_ontology after insert on core.label referencing new table as changed
    for each statement execute function core.fit_labels();
