-- name: run
-- Whose predictions a run imported, of which ontology and which kinds.
select
    r.parameters ->> 'actor' as model, r.parameters ->> 'ontology' as ontology,
    array(select distinct p.kind from core.predicted_label as p where p.run_id = r.run_id order by 1) as kinds
from core.run as r
where r.run_id = %(run_id)s and r.kind = 'import_predictions' and r.status = 'succeeded';

-- name: classes
-- The surest class that a run predicted of each media.
select distinct on (p.media_id) p.media_id, p.class_id, p.confidence
from core.predicted_label as p
where p.run_id = %(run_id)s and p.kind = 'classification'
order by p.media_id, p.confidence desc, p.class_id;

-- name: boxes
-- The boxes that a run predicted.
select p.media_id, p.class_id, p.confidence, p.x, p.y, p.w, p.h
from core.predicted_label as p
where p.run_id = %(run_id)s and p.kind = 'box'
order by p.media_id, p.predicted_label_id;

-- name: runs
-- The imports of predictions, newest first.
select
    r.run_id, r.parameters ->> 'actor' as model, r.parameters ->> 'ontology' as ontology,
    r.parameters ->> 'uri' as uri, (select count(*) from core.predicted_label as p where p.run_id = r.run_id) as n,
    r.started_at
from core.run as r
where r.kind = 'import_predictions' and r.status = 'succeeded'
order by r.run_id desc;
