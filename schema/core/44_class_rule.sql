-- Annotating: what becomes of the labels of a class when a new version of its ontology changes it.

create table core.class_rule (
    rule_id bigint generated always as identity,
    ontology_id bigint not null,
    version integer not null,
    place integer not null,
    class_id bigint not null,
    kind text,
    condition jsonb,
    target_class_id bigint,
    renamed jsonb,
    revalued jsonb,
    given jsonb,
    constraint class_rule_pk primary key (rule_id),
    constraint class_rule_key unique (ontology_id, version, place),
    constraint class_rule_condition_check check (jsonb_typeof(condition) = 'object'),
    constraint class_rule_renamed_check check (jsonb_typeof(renamed) = 'object'),
    constraint class_rule_revalued_check check (jsonb_typeof(revalued) = 'object'),
    constraint class_rule_given_check check (jsonb_typeof(given) = 'object'),
    constraint class_rule_version_fk foreign key (ontology_id, version)
        references core.ontology_version (ontology_id, version) on delete restrict,
    constraint class_rule_class_fk foreign key (class_id)
        references core.class (class_id) on delete restrict,
    constraint class_rule_target_fk foreign key (target_class_id)
        references core.class (class_id) on delete restrict
);
create index class_rule_class_idx on core.class_rule (class_id);
create index class_rule_target_idx on core.class_rule (target_class_id);
comment on table core.class_rule is
    'Mapping of labels to a version of their ontology: of the rules of its class, the first that fits a label written before '
    'the version says what it becomes. Rules never change.';
comment on column core.class_rule.rule_id is 'Identity of the rule.';
comment on column core.class_rule.ontology_id is 'The ontology.';
comment on column core.class_rule.version is 'The version whose change it explains.';
comment on column core.class_rule.place is 'Its place among the rules of the version, from 1.';
comment on column core.class_rule.class_id is 'The class of the labels it is about.';
comment on column core.class_rule.kind is 'Only labels of this kind; null: of any.';
comment on column core.class_rule.condition is
    'Only labels with one of these values of each attribute, {"type": ["car", "van"]}; null: all.';
comment on column core.class_rule.target_class_id is 'The class they become; null: none, they stay as they are and are listed.';
comment on column core.class_rule.renamed is 'New names of attributes, {"race": "breed"}; null as a name drops the attribute.';
comment on column core.class_rule.revalued is
    'New values by the old name of the attribute, {"race": {"poodel": "poodle"}}; null as a value drops it.';
comment on column core.class_rule.given is 'Attributes that they get besides, {"age": "young"}.';

create function core.keep_rule() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_op = 'INSERT' then
        if new.version <> core.newest_version(new.class_id) then
            raise exception 'rule of version %, which is not the newest of its ontology', new.version
                using errcode = 'SD003', hint = 'versions never change: smartdb ontology change makes the next';
        end if;
        return new;
    end if;
    raise exception 'rules of a version of an ontology never change'
        using errcode = 'SD003', hint = 'make a new version: smartdb ontology change';
end
$$;
comment on function core.keep_rule() is 'Row trigger: rules are written with their version, and stay.';
create trigger keep_rule before insert or update or delete on core.class_rule
    for each row execute function core.keep_rule();

create function core.migrated_attributes(attributes jsonb, renamed jsonb, revalued jsonb, given jsonb) returns jsonb
language sql immutable parallel safe
return case
    when num_nonnulls(renamed, revalued, given) = 0 then attributes
    else nullif(
        coalesce((
            select jsonb_object_agg(coalesce(renamed ->> v.name, v.name), v.value)
            from (
                select
                    e.name,
                    case
                        when revalued -> e.name is null then e.value
                        when jsonb_typeof(e.value) = 'array' then (
                            select jsonb_agg(coalesce(revalued -> e.name -> (i.one #>> '{}'), i.one) order by i.place)
                                filter (where jsonb_typeof(coalesce(revalued -> e.name -> (i.one #>> '{}'), i.one)) <> 'null')
                            from jsonb_array_elements(e.value) with ordinality as i (one, place)
                        )
                        else coalesce(revalued -> e.name -> (e.value #>> '{}'), e.value)
                    end as value
                from jsonb_each(attributes) as e (name, value)
            ) as v
            where jsonb_typeof(v.value) <> 'null' and jsonb_typeof(renamed -> v.name) is distinct from 'null'
        ), '{}') || coalesce(given, '{}'), '{}')
end;
comment on function core.migrated_attributes(jsonb, jsonb, jsonb, jsonb) is
    'Attributes of a label with new values (by old names), then new names, then those that are given besides.';
