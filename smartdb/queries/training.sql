-- name: items
-- The labelled members of a dataset version, by media; split 0 is train.
select
    i.media_id,
    case i.split when 'train' then 0 when 'val' then 1 else 2 end,
    i.class_id
from smartdb.dataset_item_at(%(dataset)s, %(version)s) as i
where i.class_id is not null
order by i.media_id;

-- name: class_names
-- Names of classes, in the order asked.
select c.name
from unnest(%(class_ids)s::bigint[]) with ordinality as u (class_id, place)
join core.class as c on c.class_id = u.class_id
order by u.place;

-- name: known
-- The newest run that made just this model already.
select r.run_id, m.model_id, r.counts
from core.run as r
join core.model as m on m.run_id = r.run_id
where r.kind = 'train' and r.status = 'succeeded'
    and r.parameters = %(parameters)s and r.seed = %(seed)s and r.code_version = %(code_version)s
order by r.run_id desc
limit 1;

-- name: known_predictions
-- The newest run that made just these predictions already.
select r.run_id, r.counts
from core.run as r
join core.evaluation as e on e.run_id = r.run_id
where r.kind = 'predict' and r.status = 'succeeded'
    and r.parameters = %(parameters)s and r.code_version = %(code_version)s
order by r.run_id desc
limit 1;

-- name: model
-- A model with what it was trained on.
select
    m.model_id, m.name, m.run_id, d.name, m.version, v.revision, e.name, m.class_ids, m.uri, m.sha256
from core.model as m
join core.dataset as d on d.dataset_id = m.dataset_id
join core.dataset_version as v on v.dataset_id = m.dataset_id and v.version = m.version
left join core.encoder as e on e.encoder_id = m.encoder_id
where m.model_id = %(model_id)s or m.run_id = %(run_id)s;

-- name: add_model
-- Stores a model.
insert into core.model (name, run_id, dataset_id, version, encoder_id, class_ids, uri, sha256)
select
    %(name)s, %(run_id)s, d.dataset_id, %(version)s, e.encoder_id, %(class_ids)s, %(uri)s, %(sha256)s
from core.dataset as d
left join core.encoder as e on e.name = %(encoder)s
where d.name = %(dataset)s
returning model_id;

-- name: metrics
-- The final scores of a run.
select m.split, m.name, m.value from smartdb.metric as m
where m.run_id = %(run_id)s and m.step is null
order by m.split, m.name;

-- name: newest
-- The model of the newest training run on a dataset.
select t.model_id
from smartdb.training_run as t
where t.dataset = %(dataset)s and t.status = 'succeeded'
order by t.run_id desc
limit 1;
