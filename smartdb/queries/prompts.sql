-- name: add
-- Saves the texts of the staging table that are not saved yet.
insert into core.prompt (encoder_id, text, v)
select %(encoder_id)s, n.text, n.v from pg_temp.prompt_new as n
order by n.text
on conflict (encoder_id, text) do nothing;

-- name: list
-- The saved texts, of all encoders or one.
select p.encoder, p.text, p.created_at
from smartdb.saved_prompt as p
where %(encoder)s::text is null or p.encoder = %(encoder)s
order by p.encoder, p.text;

-- name: remove
-- Takes back a saved text.
delete from core.prompt as p where p.encoder_id = %(encoder_id)s and p.text = %(text)s;

-- name: vectors
-- The vectors of some saved texts, in their order.
select t.place, p.v
from unnest(%(texts)s::text[]) with ordinality as t (text, place)
join core.prompt as p on p.encoder_id = %(encoder_id)s and p.text = t.text
order by t.place;
