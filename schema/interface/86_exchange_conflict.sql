-- Labels that were changed here and in a label editor, with all three states.
create view smartdb.exchange_conflict as
select
    c.exchange_conflict_id, c.exchange_id, e.editor, c.media_id, c.object_id,
    smartdb.label_object(c.base_label_id) as base,
    smartdb.label_object(case c.state when 'open' then n.label_id else c.label_id end) as ours,
    c.theirs,
    n.actor as ours_actor, n.created_at as ours_at, a.name as theirs_actor, c.said_at as theirs_at,
    c.state, r.name as resolved_by, c.reason, c.resolved_at, c.created_at
from core.exchange_conflict as c
join core.exchange as e on e.exchange_id = c.exchange_id
join core.actor as a on a.actor_id = c.actor_id
left join core.actor as r on r.actor_id = c.resolved_by
left join smartdb.label as n on n.object_id = c.object_id;

comment on view smartdb.exchange_conflict is
    'Labelled things that were changed here and in a label editor since both agreed on them; decide with smartdb.resolve_conflict.';
comment on column smartdb.exchange_conflict.exchange_conflict_id is 'Identity of the conflict.';
comment on column smartdb.exchange_conflict.exchange_id is 'The exchange.';
comment on column smartdb.exchange_conflict.editor is 'label_studio or cvat.';
comment on column smartdb.exchange_conflict.media_id is 'The media.';
comment on column smartdb.exchange_conflict.object_id is 'The thing.';
comment on column smartdb.exchange_conflict.base is 'What both last agreed on, as a label object.';
comment on column smartdb.exchange_conflict.ours is 'What it is here now (of a decided one: became); null: removed here.';
comment on column smartdb.exchange_conflict.theirs is 'What the editor says; null: removed there.';
comment on column smartdb.exchange_conflict.ours_actor is 'Whose word it is here now.';
comment on column smartdb.exchange_conflict.ours_at is 'Since when.';
comment on column smartdb.exchange_conflict.theirs_actor is 'Who said it in the editor.';
comment on column smartdb.exchange_conflict.theirs_at is 'When, by the clock of the editor.';
comment on column smartdb.exchange_conflict.state is 'open, ours (what is here stays) or theirs (what the editor says was taken).';
comment on column smartdb.exchange_conflict.resolved_by is 'Who decided; null: a rule, or nobody yet.';
comment on column smartdb.exchange_conflict.reason is 'Why: the rule, or a person''s words.';
comment on column smartdb.exchange_conflict.resolved_at is 'When it was decided.';
comment on column smartdb.exchange_conflict.created_at is 'When it was found.';

-- example:
--   select base ->> 'class', ours ->> 'class', theirs ->> 'class', theirs_actor, state from
--   smartdb.exchange_conflict
-- result:
--   dog | dog | cat | ana | open
