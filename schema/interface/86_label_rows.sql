-- A list of label objects read: the rows of core.label that it asks for, save of what and whose they are.
create function smartdb.label_rows(labels jsonb, ontology text default null, media bigint default null) returns core.label[]
language plpgsql volatile as $$
declare
    result core.label[] := '{}';
    one core.label;
    place integer;
    wrong text;
    code text;
    advice text;
begin
    if jsonb_typeof(labels) is distinct from 'array' then
        raise exception 'labels are a list, not %', coalesce(jsonb_typeof(labels), 'null')
            using errcode = 'SD002', hint = 'such as [{"class": "dog"}]';
    end if;
    for n in 0 .. jsonb_array_length(labels) - 1 loop
        place := n;
        one := smartdb.label_row(labels -> n);
        one.class_id := smartdb.require_class(labels -> n ->> 'class', ontology);
        one.object_id := nextval('core.label_object');
        one.media_id := media;
        one.origin := 'human';
        if core.misplaced(one) is not null then
            raise exception 'a % cannot be so: %', one.kind, core.misplaced(one)
                using errcode = 'SD002', hint = 'draw it within the picture; pixels are those of the upright one';
        end if;
        result := result || one;
    end loop;
    return result;
exception when sqlstate 'SD001' or sqlstate 'SD002' then
    get stacked diagnostics wrong = message_text, code = returned_sqlstate, advice = pg_exception_hint;
    raise exception '%', concat('label ' || place || ' of the list: ', wrong) using errcode = code, hint = advice;
end
$$;
comment on function smartdb.label_rows(jsonb, text, bigint) is
    'The rows of core.label that a list of label objects (see smartdb.label_row) asks for, each with its class and an object_id of '
    'its own, in order; as drawn by a person in a media, if one is given. SD001 for an unknown class, SD002 for what cannot be; both say which of the list, from 0.';

-- example:
--   select r.class_id, r.kind from unnest(smartdb.label_rows('[{"class": "dog"}, {"class": "cat"}]'))
--   as r
-- result:
--   3 | classification
--   2 | classification
