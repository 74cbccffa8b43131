-- Texts that were saved as vectors.
create view smartdb.saved_prompt as
select e.name as encoder, p.text, p.v, p.created_at
from core.prompt as p
join core.encoder as e on e.encoder_id = p.encoder_id;

comment on view smartdb.saved_prompt is 'Texts that were saved as vectors by smartdb prompt add; prompt(text) gives the vector.';
comment on column smartdb.saved_prompt.encoder is 'Name of the encoder whose text tower read it.';
comment on column smartdb.saved_prompt.text is 'The text.';
comment on column smartdb.saved_prompt.v is 'Its vector, of length 1, in the space of the encoder''s pictures.';
comment on column smartdb.saved_prompt.created_at is 'When it was saved.';

-- example:
--   select encoder, text from smartdb.saved_prompt
-- result:
--   tiny | a cat
