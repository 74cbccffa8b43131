-- Decides a conflict between what is here and what a label editor says.
create function smartdb.resolve_conflict(conflict bigint, choice text, actor text, reason text default null) returns bigint
language plpgsql volatile as $$
declare
    c core.exchange_conflict;
    me constant bigint := case when actor is not null then smartdb.person_id(actor) end;
    who text;
    now_id bigint;
    result bigint;
    thing bigint;
begin
    select k.* into c from core.exchange_conflict as k where k.exchange_conflict_id = conflict for update;
    if not found then
        raise exception 'no conflict %', conflict
            using errcode = 'SD001', hint = 'see: select * from smartdb.exchange_conflict';
    elsif c.state <> 'open' then
        raise exception 'conflict % was decided already: %', conflict, c.state
            using errcode = 'SD005', hint = 'see: select * from smartdb.exchange_conflict';
    elsif choice is null or choice not in ('ours', 'theirs') then
        raise exception 'no choice %', coalesce(choice, 'null')
            using errcode = 'SD002', hint = 'say ours (what is here stays) or theirs (take what the editor says)';
    end if;
    who := (select a.name from core.actor as a where a.actor_id = c.actor_id);
    now_id := (select l.label_id from core.label as l where l.object_id = c.object_id and l.rev_to is null);
    result := now_id;
    if choice = 'theirs' then
        if c.theirs is null and now_id is not null then
            perform smartdb.remove_label(now_id, who, reason);
            result := null;
        elsif c.theirs is not null and now_id is not null then
            result := smartdb.edit_label(now_id, who, c.theirs || '{"confidence": null}', reason);
        elsif c.theirs is not null then -- what was removed here is another thing
            select a into result from smartdb.add_labels(
                c.media_id, who, jsonb_build_array(c.theirs),
                (select o.name from core.exchange as e join core.ontology as o on o.ontology_id = e.ontology_id
                 where e.exchange_id = c.exchange_id)) as a;
        end if;
        thing := (select l.object_id from core.label as l where l.label_id = result);
        update core.exchange_object as o
        set label_id = result, object_id = coalesce(thing, o.object_id), said = null
        where o.exchange_id = c.exchange_id and o.media_id = c.media_id and o.object_id = c.object_id
            and o.region = c.region and o.answer in ('', c.answer);
    end if;
    update core.exchange_conflict as k
    set state = choice, resolved_by = me, reason = resolve_conflict.reason, label_id = result, resolved_at = clock_timestamp()
    where k.exchange_conflict_id = conflict;
    return result;
end
$$;
comment on function smartdb.resolve_conflict(bigint, text, text, text) is
    'Decides a conflict of smartdb.exchange_conflict: ours (what is here stays) or theirs (what the editor says becomes the state, as '
    'the word of who said it there), by a person, or by a rule where the actor is null. Returns the label_id that is live then; null: '
    'none. SD001 no such conflict, SD002 no such choice, SD005 decided already; those of smartdb.edit_label.';

-- example:
--   select smartdb.resolve_conflict(1, 'theirs', 'bo', 'the tail too') is null
-- result:
--   False
