-- Who labels and reviews.
create view smartdb.actor as
select a.actor_id, a.name, a.kind, a.created_at from core.actor as a;

comment on view smartdb.actor is 'Who labels and reviews: people, models and importers.';
comment on column smartdb.actor.actor_id is 'Identity of the actor.';
comment on column smartdb.actor.name is 'Unique name.';
comment on column smartdb.actor.kind is 'person, model or import.';
comment on column smartdb.actor.created_at is 'When the actor was first seen.';

-- example:
--   select actor_id, name, kind from smartdb.actor order by actor_id
-- result:
--   1 | folder names | import
--   2 | ana | person
--   3 | cy | person
--   4 | labelling functions | model
