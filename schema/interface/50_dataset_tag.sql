-- Names that point to dataset versions, and pointed.
create view smartdb.dataset_tag as
select
    d.name as dataset, t.tag, t.version, t.actor, t.created_at, t.rev_from, t.rev_to,
    t.rev_to is null as is_live
from core.dataset_tag as t
join core.dataset as d using (dataset_id);

comment on view smartdb.dataset_tag is
    'Names that point to a dataset version, such as production; rows that are not live say where they pointed before.';
comment on column smartdb.dataset_tag.dataset is 'Name of the dataset.';
comment on column smartdb.dataset_tag.tag is 'The name.';
comment on column smartdb.dataset_tag.version is 'The version it points to, or pointed.';
comment on column smartdb.dataset_tag.actor is 'Who set it.';
comment on column smartdb.dataset_tag.created_at is 'When it was set.';
comment on column smartdb.dataset_tag.rev_from is 'Revision at which it was set.';
comment on column smartdb.dataset_tag.rev_to is 'Revision at which it was moved or taken away; null while it points there.';
comment on column smartdb.dataset_tag.is_live is 'Whether it points there now.';

-- example:
--   select tag, version, actor, is_live from smartdb.dataset_tag where dataset = 'pets' order by
--   rev_from
-- result:
--   production | 1 | ana | False
--   production | 2 | ana | True
