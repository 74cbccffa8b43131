-- A label row as changes make it, from what it says now; what edits and corrections do alike.
create function smartdb.label_with(l core.label, says jsonb, changes jsonb) returns core.label
language plpgsql stable as $$
declare
    result core.label;
begin
    if changes ? 'kind' and changes ->> 'kind' <> l.kind then -- geometry of another kind is given anew
        says := says - '{x,y,w,h,shape,subject_id,target_id}'::text[];
    elsif changes ? 'shape' then -- and a new shape has a new box
        says := says - '{x,y,w,h}'::text[];
    end if;
    result := smartdb.label_row(says || changes, changes ?| '{kind,x,y,w,h,shape}');
    result.class_id := case when changes ? 'class' then smartdb.require_class(
        changes ->> 'class', (select c.ontology from smartdb.ontology_class as c where c.class_id = l.class_id))
        else l.class_id end;
    return result;
end
$$;
comment on function smartdb.label_with(core.label, jsonb, jsonb) is
    'The row that a label becomes by changes (keys of a label object) to what it says, not written anywhere. SD001 no such class, '
    'SD002 for changes that cannot be.';

-- example:
--   select (smartdb.label_with(l, '{}', '{"class": "cat"}')).class_id from core.label as l
--   where l.label_id = 7
-- result:
--   2
