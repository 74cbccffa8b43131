-- Reviewing: a verdict is above the consensus, also one that comes after it.

create function core.yield_to_verdict() returns trigger
language plpgsql as $$
begin
    update core.label as k set rev_to = 0
    from core.label as judged
    join core.class as c on c.class_id = judged.class_id
    left join core.label as corrected on corrected.label_id = new.corrected_label_id
    where judged.label_id = new.label_id and judged.kind = 'classification'
        and k.media_id = judged.media_id and k.kind = 'classification'
        and k.origin = 'consensus' and k.rev_to is null
        and k.class_id in (select s.class_id from core.class as s where s.ontology_id = c.ontology_id)
        and case new.verdict
            when 'rejected' then k.class_id = judged.class_id
            else k.class_id <> coalesce(corrected.class_id, judged.class_id)
        end;
    return null;
end
$$;
comment on function core.yield_to_verdict() is
    'Row trigger: a verdict closes the consensus that says otherwise, so that the reviewer''s word is in force at once.';
create trigger yield_to_verdict after insert on core.review
    for each row execute function core.yield_to_verdict();
