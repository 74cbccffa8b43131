-- What a verdict corrects, and that it makes sense; what review_label and adjudicate ask alike.
create function smartdb.verdict_changes(verdict text, class text, correction jsonb) returns jsonb
language plpgsql immutable as $$
declare
    changes constant jsonb := case when class is not null
        then coalesce(correction, '{}') || jsonb_build_object('class', class) else correction end;
begin
    if verdict is null or verdict not in ('accepted', 'corrected', 'rejected')
        or (verdict = 'corrected') <> (changes is not null) then
        raise exception 'verdict % with class %', coalesce(verdict, 'null'), coalesce(class, changes::text, 'none')
            using errcode = 'SD002', hint = 'say accepted, rejected, or corrected with the class or what else is right';
    end if;
    return changes;
end
$$;
comment on function smartdb.verdict_changes(text, text, jsonb) is
    'The correction of a verdict with its class, null for none. SD002 for no verdict, and one that does not fit the correction.';

-- example:
--   select smartdb.verdict_changes('corrected', 'cat', '{"w": 3}')
-- result:
--   {'w': 3, 'class': 'cat'}
