-- What label editors said and could not be taken in.
create view smartdb.exchange_refusal as
select
    r.exchange_refusal_id, r.exchange_id, r.media_id, r.place, r.reason, r.detail, r.content, r.created_at
from core.exchange_refusal as r;

comment on view smartdb.exchange_refusal is 'Annotations of label editors that could not be taken in, kept whole, with the reason. Correct them there and take them in again.';
comment on column smartdb.exchange_refusal.exchange_refusal_id is 'Identity of the refusal.';
comment on column smartdb.exchange_refusal.exchange_id is 'The exchange, if that is known.';
comment on column smartdb.exchange_refusal.media_id is 'The media, if that is known.';
comment on column smartdb.exchange_refusal.place is 'Where: a file with a line or id, or an annotation.';
comment on column smartdb.exchange_refusal.reason is
    'Stable code: bad_row, bad_shape, unknown_class, unknown_media, unknown_exchange, refused, ...';
comment on column smartdb.exchange_refusal.detail is 'A sentence for a person.';
comment on column smartdb.exchange_refusal.content is 'The whole annotation as it came, where its media may be seen.';
comment on column smartdb.exchange_refusal.created_at is 'When it came first.';

-- example:
--   select place, reason, detail from smartdb.exchange_refusal
-- result:
--   tasks.json#2, task 2, annotation 32 | unknown_class | no class fox
