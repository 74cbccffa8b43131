-- Versions that must be kept.
create view smartdb.dataset_pin as
select d.name as dataset, p.version, p.reason, p.actor, p.created_at
from core.dataset_pin as p
join core.dataset as d using (dataset_id);

comment on view smartdb.dataset_pin is 'Versions that must not be pruned, until the pin is taken out.';
comment on column smartdb.dataset_pin.dataset is 'Name of the dataset.';
comment on column smartdb.dataset_pin.version is 'The version.';
comment on column smartdb.dataset_pin.reason is 'Why it must be kept.';
comment on column smartdb.dataset_pin.actor is 'Who pinned it.';
comment on column smartdb.dataset_pin.created_at is 'When.';

-- example:
--   select version, reason from smartdb.dataset_pin where dataset = 'pets'
-- result:
--   1 | in the paper
