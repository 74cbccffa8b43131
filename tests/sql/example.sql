-- A dozen toy pictures with everything the interface shows; the examples in schema/interface are
-- run against this and must give the results that stand beside them. Runs as smartdb_owner.

insert into core.run (kind, status, code_version, counts, started_at, finished_at) values
    ('ingest', 'succeeded', '0.1.0', '{"added": 12, "refused": 1}', '2026-01-01 10:00Z', '2026-01-01 10:00:02Z'),
    ('embed', 'succeeded', '0.1.0', '{"embedded": 11}', '2026-01-01 10:01Z', '2026-01-01 10:01:04Z');
insert into core.source (name, uri, licence, allowed_use) values ('toys', 'file:///toys', 'CC0-1.0', '{training}');

insert into core.media (sha256, kind, mime, n_bytes, width, height, phash, group_key, run_id)
select
    sha256(('toy ' || i)::bytea), 'image', 'image/png', 100 + i, 32, 24, i::bit(64),
    case when i in (3, 4) then 'scene 1' end, 1
from generate_series(1, 12) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
select
    i, 1, format('file:///toys/%s/%s.png', case when i <= 5 then 'cat' when i <= 10 then 'dog' else 'new' end, i),
    100 + i, '2026-01-01'
from generate_series(1, 12) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at)
values (5, 1, 'file:///toys/cat/5-copy.png', 105, '2026-01-01');
insert into core.quarantine (source_id, uri, reason, detail, n_bytes, run_id)
values (1, 'file:///toys/cat/half.jpg', 'truncated', 'image file is truncated (12 bytes not processed)', 900, 1);
insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
select i, i / 20.0, 0.2, 10 * i, 4 + i / 10.0, 30 from generate_series(1, 12) as i;
insert into core.finding (media_id, kind, score, detail, run_id) values
    (1, 'dark', 0.05, '{}', 1),
    (7, 'gps', null, '{"latitude": 52.5, "longitude": 13.4}', 1);
insert into core.detector (name, version) values ('haar:frontalface', '4.10 aef4b9');
insert into core.detector_media (detector_id, media_id, run_id) values (1, 1, 1), (1, 2, 1);
insert into core.finding (media_id, kind, score, region, detail, run_id) values
    (2, 'face', 0.8, '{4,2,9,9}', '{"detector": "haar:frontalface", "version": "4.10 aef4b9", "parameters": {}}', 1);
insert into core.restriction (media_id, reason) values (12, 'consent');
insert into core.media_terms (media_id, allowed_use, note) values (2, '{training,publication}', 'letter of 3 May');
insert into core.media_terms (media_id, expires_at, note) values (10, '2026-01-05', 'model release');

select core.add_encoder('tiny', 3);
insert into core.embedding_1 (media_id, v)
select i, l2_normalize(format('[%s,%s,%s]',
    case when i <= 5 then 1 else 0.1 end, case when i between 6 and 10 then 1 else 0.1 end, i / 40.0)::halfvec)
from generate_series(1, 12) as i where i <> 11;
insert into core.prompt (encoder_id, text, v) values (1, 'a cat', l2_normalize('[1,0.1,0.1]'::halfvec));
insert into core.neighbour (encoder_id, media_id, rank, neighbour_id, distance)
select 1, a.media_id, n.rank, n.media_id, n.distance
from core.embedding_1 as a
cross join lateral (
    select b.media_id, a.v <=> b.v as distance, row_number() over (order by a.v <=> b.v, b.media_id) as rank
    from core.embedding_1 as b where b.media_id <> a.media_id
    order by a.v <=> b.v, b.media_id limit 2
) as n;
insert into core.graph (encoder_id, k, largest_isolation, run_id) values (1, 2, 0.001, 2);
insert into core.cluster (encoder_id, cluster_id, v, radius, run_id) values
    (1, 1, '[1,0.1,0.1]', 0.01, 2), (1, 2, '[0.1,1,0.2]', 0.02, 2);
insert into core.map (encoder_id, method, origin, x_axis, y_axis, run_id) values (1, 'pca', '[0,0,0]', '[1,0,0]', '[0,1,0]', 2);
insert into core.media_graph (
    encoder_id, media_id, n_neighbours, distance, isolation, cluster_id, centre_distance, map_x, map_y, run_id)
select
    1, n.media_id, count(*), avg(n.distance), sum(n.distance * case n.rank when 1 then 0.6 else 0.3 end) / 0.9,
    case when n.media_id <= 5 then 1 else 2 end, 0.002 * (n.media_id % 5),
    case when n.media_id <= 5 then 1 else 0.1 end, case when n.media_id <= 5 then 0.1 else 1 end, 2
from core.neighbour as n where n.media_id <> 10 group by n.media_id;
insert into core.duplicate (media_id, group_id, run_id) values (1, 1, 2), (2, 1, 2);
insert into core.duplicate_pair (encoder_id, media_id, other_id, bits, distance) values (1, 1, 2, 1, 0.01);

insert into core.ontology (name) values ('animals');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'cats and dogs');
insert into core.class (ontology_id, name, version_from) values (1, 'pet', 1);
insert into core.class (ontology_id, name, parent_class_id, version_from) values (1, 'cat', 1, 1), (1, 'dog', 1, 1);
insert into core.actor (name, kind) values ('folder names', 'import'), ('ana', 'person');
-- Folder names say cat for 1 to 5 and dog for 6 to 10; 5 is in truth a dog.
insert into core.label (media_id, class_id, origin, actor_id)
select i, case when i <= 5 then 2 else 3 end, 'import', 1 from generate_series(1, 10) as i;
-- Ana labels 1 to 4 and 6 too, 4 otherwise than the folder.
insert into core.label (media_id, class_id, origin, actor_id)
select i, case when i in (1, 2, 3) then 2 else 3 end, 'human', 2 from unnest('{1,2,3,4,6}'::integer[]) as i;
insert into core.task (kind, media_id, priority) values ('label', 11, 1), ('label', 12, 2);

insert into core.dataset (name, ontology_id) values ('pets', 1);
insert into core.run (kind, status, code_version, started_at, finished_at)
values ('dataset_version', 'succeeded', '0.1.0', '2026-01-02', '2026-01-02');
insert into core.dataset_version (dataset_id, version, revision, query, seed, message, run_id, ontology_version)
values (1, 1, core.checkpoint(), 'true', 0, 'first', 3, 1);
insert into core.dataset_item (dataset_id, media_id, split, version_from)
select 1, i, case when i in (4, 5, 9, 10) then 'test' else 'train' end, 1 from generate_series(1, 9) as i;
update core.dataset_version set (n_items, digest, sealed_at) = (9, smartdb.dataset_digest('pets', 1), '2026-01-02');

-- The first training run, and what it suspects.
insert into core.run (kind, status, code_version, seed, started_at, finished_at)
values ('train', 'succeeded', '0.1.0', 0, '2026-01-03', '2026-01-03 00:00:05');
insert into core.model (name, run_id, dataset_id, version, encoder_id, class_ids, uri, sha256)
values ('pets', 4, 1, 1, 1, '{2,3}', 'file:///models/a.pt', sha256('a'));
insert into core.evaluation (run_id, model_id, dataset_id, version, revision, class_ids)
select 4, 1, 1, 1, v.revision, '{2,3}' from core.dataset_version as v where v.version = 1;
select core.add_prediction_partition(4);
insert into core.prediction (
    run_id, media_id, class_id, probability, confidence, margin, entropy, true_label_id, true_class_id, split
)
select 4, i, case when p >= 0.5 then 2 else 3 end, array[p, 1 - p], greatest(p, 1 - p), abs(2 * p - 1),
    -p * ln(p) - (1 - p) * ln(1 - p), t.label_id, t.class_id, d.split
from (values (1, 0.9), (2, 0.8), (3, 0.9), (4, 0.8), (5, 0.2), (6, 0.1), (7, 0.3), (8, 0.1), (9, 0.4), (11, 0.55)) as x (i, p)
left join smartdb.media_class_at((select e.revision from core.evaluation as e where e.run_id = 4)) as t on t.media_id = i
left join smartdb.dataset_item_at('pets', 1) as d on d.media_id = i;
insert into core.metric (run_id, name, split, step, value, n) values
    (4, 'accuracy', 'test', null, 0.3333, 3), (4, 'loss', 'train', 1, 0.69, 6), (4, 'loss', 'train', 2, 0.41, 6);
insert into core.label_issue (media_id, label_id, kind, score, suggested_class_id, run_id) values
    (5, 5, 'swapped', 0.8, 3, 4), (9, 9, 'swapped', 0.6, 2, 4), (7, 7, 'swapped', 0.3, 2, 4);
insert into core.task (kind, media_id, label_id, priority) values ('review', 5, 5, 0.8), ('review', 7, 7, 0.3);

insert into core.label_scoring (run_id, detectors) values (4, '{rank,predicted_neq_given}');
insert into core.label_score (run_id, part, label_ids, scores, suspects)
values (4, 0, '{5,7,8,9}', '{0.8,0.3,0.1,0.6,0.8,0.3,NaN,0.6}', '{3,0,0,1}');
insert into core.label_rule (name, predicate, note)
values ('boxes are not tiny', 'l.kind <> ''box'' or l.w * l.h > 64', 'nothing so small can be told');
insert into core.review_plan (name, kind, parameters, seed, revision, n_lot)
values ('first look', 'share', '{"n": 1}', 0, 0, 10);
insert into core.review_plan_item (plan_id, label_id, media_id, actor_id, rank) values (1, 9, 9, 1, 1);

-- Ana reviews two of the three.
set local role smartdb_reviewer;
select smartdb.review_label(5, 'ana', 'corrected', 'dog', 'long ears');
select smartdb.review_label(9, 'ana', 'accepted');
insert into core.actor (name, kind) values ('cy', 'person');
insert into core.gold (label_id, actor_id, reason) select 9, a.actor_id, 'seen by three' from core.actor as a where a.name = 'cy';
set local role smartdb_owner;

select smartdb.add_comment('ana', 'the ears are a dog''s', label => 5);

-- She finds four pictures dark as night; one of them she takes back after version 2.
insert into core.media_tag (media_id, tag, actor_id) values (1, 'night', 2), (2, 'night', 2), (4, 'night', 2), (12, 'night', 2);

-- Version 2 has the correction and one more picture; the second run is better.
insert into core.dataset_version (dataset_id, version, revision, query, seed, message, run_id, ontology_version)
values (1, 2, core.checkpoint(), 'true', 0, 'after review', 3, 1);
update core.dataset_item set version_to = 2 where media_id = 8;
insert into core.dataset_item (dataset_id, media_id, split, version_from) values (1, 10, 'test', 2);
update core.dataset_version set (n_items, digest, sealed_at) = (9, smartdb.dataset_digest('pets', 2), '2026-01-04')
where version = 2;
update core.media_tag set rev_to = 0 where media_id = 4;
insert into core.run (kind, status, code_version, seed, started_at, finished_at)
values ('train', 'succeeded', '0.1.0', 0, '2026-01-05', '2026-01-05 00:00:05');
insert into core.model (name, run_id, dataset_id, version, encoder_id, class_ids, uri, sha256)
values ('pets', 5, 1, 2, 1, '{2,3}', 'file:///models/b.pt', sha256('b'));
insert into core.evaluation (run_id, model_id, dataset_id, version, revision, class_ids)
select 5, 2, 1, 2, v.revision, '{2,3}' from core.dataset_version as v where v.version = 2;
select core.add_prediction_partition(5);
insert into core.prediction (
    run_id, media_id, class_id, probability, confidence, margin, entropy, true_label_id, true_class_id, split
)
select 5, i, case when p >= 0.5 then 2 else 3 end, array[p, 1 - p], greatest(p, 1 - p), abs(2 * p - 1),
    -p * ln(p) - (1 - p) * ln(1 - p), t.label_id, t.class_id, d.split
from (values (1, 0.9), (2, 0.8), (3, 0.9), (4, 0.4), (5, 0.1), (6, 0.1), (7, 0.3), (9, 0.2), (10, 0.7)) as x (i, p)
left join smartdb.media_class_at((select e.revision from core.evaluation as e where e.run_id = 5)) as t on t.media_id = i
left join smartdb.dataset_item_at('pets', 2) as d on d.media_id = i;
insert into core.metric (run_id, name, split, value, n) values (5, 'accuracy', 'test', 0.75, 4);

insert into core.dataset_tag (dataset_id, tag, version, actor) values (1, 'production', 1, 'ana');
update core.dataset_tag set rev_to = 0;
insert into core.dataset_tag (dataset_id, tag, version, actor) values (1, 'production', 2, 'ana');
insert into core.dataset_note (dataset_id, version, note, actor) values (1, 2, 'media 8 is blurred', 'ana');
insert into core.dataset_pin (dataset_id, version, reason, actor) values (1, 1, 'in the paper', 'ana');

insert into core.batch (strategy, seed, run_id) values ('uncertain+diverse', 0, 5);
insert into core.batch_item (batch_id, media_id, rank, score, reason) values (1, 11, 1, 0.69, 'entropy 0.688');
insert into core.slice (name, predicate) values ('dim', 'm.brightness < 0.3');
insert into core.slice (name, note) values ('odd ones', 'shown to the client');
insert into core.slice_media (slice_id, media_id) values (2, 3), (2, 5), (2, 12);

insert into core.training_dynamics (run_id, media_id, loss, el2n, n_forgotten, n_correct, n_epochs)
select 5, p.media_id, -ln(p.probability[case p.true_class_id when 2 then 1 else 2 end]), 0.1 * p.media_id, p.media_id % 2, 3, 4
from core.prediction as p where p.run_id = 5 and p.split = 'train';
insert into core.run (kind, status, code_version, seed, started_at, finished_at)
values ('prune', 'succeeded', '0.1.0', 0, '2026-01-06', '2026-01-06');
insert into core.pruning (
    method, parameters, seed, run_id, encoder_id, predicate, n_candidates, n_kept, inputs_sha256, created_at
)
values ('semdedup', '{"eps": 0.03, "side": "hard"}', 0, 6, 1, 'm.media_id <= 8', 8, 6, sha256(''), '2026-01-06');
insert into core.pruning_item (pruning_id, media_id, rank, score, reason, kept_by)
select 1, x.media_id, x.rank, x.score, coalesce(x.reason, 'cosine distance ' || x.score || ' to one of its cluster that is kept longer'), x.kept_by
from (values
    (5, 1, 2, 'first of its cluster of 5', null), (8, 2, 2, 'first of its cluster of 3', null), (1, 3, 0.2, null, null),
    (6, 4, 0.1, null, null), (3, 5, 0.08, null, null), (4, 6, 0.06, null, null), (7, 7, 0.003, null, 8), (2, 8, 0.001, null, 1)
) as x (media_id, rank, score, reason, kept_by);
insert into core.pruning_point
values
    (1, 1, 8, 8, 0, 0, 1, 2, 3, 0, 0), (1, 0.5, 4, 8, 0.021, 0.08, 1, 2, 2, 0.1, 1), (1, 0.25, 2, 8, 0.07, 0.2, 1, 2, 1, 0.2, 1);

insert into core.import_problem (run_id, uri, place, reason, detail, is_warning) values
    (1, 'file:///toys/boxes.json', 'annotation 7', 'zero_size', 'its box [3, 4, 0, 5] has no area', false);

insert into core.run (kind, status, code_version, parameters, seed, started_at, finished_at)
values ('drift', 'succeeded', '0.1.0', '{"a": "pets:1", "b": "pets:2"}', 0, '2026-01-06', '2026-01-06');
insert into core.drift (run_id, statistic, measure, distance, psi, p, n_a, n_b)
select (select max(r.run_id) from core.run as r), x.* from (values
    ('class', 'total_variation', 0.1111, 0.05, 0.6, 9, 9), ('brightness', 'ks', 0.2222, 1.1, 0.98, 9, 9)
) as x;

-- Boxes on two of the pictures and on the hidden one; those but the last of each have a vector.
insert into core.label (label_id, media_id, class_id, kind, x, y, w, h, origin, actor_id)
overriding system value values
    (101, 8, 3, 'box', 2, 3, 10, 12, 'import', 1), (102, 8, 2, 'box', 20, 10, 20, 10, 'import', 1),
    (103, 10, 2, 'box', 1, 1, 8, 8, 'import', 1), (104, 10, 3, 'box', 30, 22, 9, 9, 'import', 1),
    (105, 12, 2, 'box', 1, 1, 8, 8, 'import', 1), (106, 12, 2, 'box', 9, 9, 8, 8, 'import', 1);
insert into core.region_crop (encoder_id, margin) values (1, 0.1);
insert into core.region_embedding_1 (label_id, media_id, v) values
    (101, 8, '[0,1,0]'), (102, 8, '[0.8,0.6,0]'), (103, 10, '[1,0,0]'), (105, 12, '[1,0,0]');
insert into core.recipe (name, pipeline) values ('mirrored', '[{"transform": "RandomHorizontalFlip", "arguments": {}}]');

-- Version 2 was exported.
insert into core.run (kind, status, code_version, started_at, finished_at)
values ('export', 'succeeded', '0.1.0', '2026-01-06', '2026-01-06 00:00:01');
insert into core.export (
    dataset_id, version, format, uri, state, n_items, n_files, n_bytes, manifest_sha256, run_id, finished_at
) select 1, 2, 'webdataset', 'file:///exports/pets', 'complete', 9, 3, 9000, sha256('c'), max(r.run_id), '2026-01-06'
from core.run as r;
insert into core.export_part (export_id, part, media_ids, paths) values
    (1, 0, '{1,2,3,6,7}', '{train-000000.tar}'), (1, 1, '{4,5,9,10}', '{test-000000.tar}');

-- A project asks two people about each picture; cy answered once, and sent once what could not be.
insert into core.project (name, ontology_id, instructions, overlap, gold_share, depth)
values ('pets', 1, 'What is it? One class for each picture.', 2, 0.1, 10);
insert into core.task (kind, media_id, project_id, slot, priority)
values ('label', 9, 1, 1, 0.5), ('label', 9, 1, 2, 0.5), ('label', 10, 1, 1, 0.4);
update core.task as t
set state = 'done', assignee_id = a.actor_id, claimed_at = '2026-01-06 09:00Z', done_at = '2026-01-06 09:00:08Z', seconds = 6
from core.actor as a where a.name = 'cy' and t.media_id = 9 and t.project_id = 1 and t.slot = 1;
update core.task as t
set state = 'skipped', assignee_id = a.actor_id, claimed_at = '2026-01-06 09:00Z', done_at = '2026-01-06 09:01Z', reason = 'too dark'
from core.actor as a where a.name = 'cy' and t.media_id = 10 and t.project_id = 1;
update core.task as t set state = 'claimed', assignee_id = 2, claimed_at = '2026-01-06 09:00Z', lease_until = '2126-01-06'
where t.media_id = 9 and t.project_id = 1 and t.slot = 2;
insert into core.gold_score (task_id, media_id, actor_id, n_gold, n_given, n_matched)
select t.task_id, 9, t.assignee_id, 1, 1, 1 from core.task as t where t.project_id = 1 and t.state = 'done';
insert into core.submission (task_id, media_id, actor_id, key, state, labels, sqlstate, reason)
select t.task_id, 10, a.actor_id, 'a', 'refused', '[{"class": "cow"}]', 'SD001', 'no class cow in ontology animals'
from core.task as t, core.actor as a where a.name = 'cy' and t.media_id = 10 and t.slot = 1;

-- What ana and the folders say together of the first picture.
insert into core.actor (name, kind) values ('consensus: majority', 'import');
insert into core.label (media_id, class_id, origin, actor_id, confidence, run_id)
select 1, 2, 'consensus', a.actor_id, 1, 1 from core.actor as a where a.name = 'consensus: majority';
-- Two labelling functions, and a picture without a class that they labelled; and what another model predicted.
insert into core.labelling_function (name, class_id, predicate, note) values
    ('bright', 3, 'm.brightness > 0.3', 'dogs were taken outside'), ('early', 2, 'm.media_id < 8', null);
insert into core.run (kind, status, code_version, started_at, finished_at) values
    ('autolabel', 'succeeded', '0.1.0', '2026-01-07', '2026-01-07'),
    ('import_predictions', 'succeeded', '0.1.0', '2026-01-07', '2026-01-07');
insert into core.actor (name, kind) values ('labelling functions', 'model');
insert into core.auto_label_threshold (
    run_id, actor_id, ontology_id, kind, precision_wanted, level, bound, confidence, n_gold, n_above, n_correct, precision_low
)
select r.run_id, a.actor_id, 1, 'classification', 0.9, 0.95, 'clopper_pearson', 0.84, 60, 40, 40, 0.9278
from core.run as r, core.actor as a where r.kind = 'autolabel' and a.name = 'labelling functions';
insert into core.label (media_id, class_id, origin, actor_id, confidence, run_id)
select 11, 3, 'model', t.actor_id, 0.91, t.run_id from core.auto_label_threshold as t;
insert into core.predicted_label (run_id, media_id, class_id, kind, x, y, w, h, confidence)
select r.run_id, x.* from core.run as r, (values
    (11, 3, 'classification', null, null, null, null, 0.7::real), (8, 2, 'box', 21.0, 10.0, 20.0, 10.0, 0.6)
) as x (media_id, class_id, kind, x, y, w, h, confidence)
where r.kind = 'import_predictions';

-- A garden's ontology in three versions: an attribute is added, then a class renamed and one merged into another.
insert into core.ontology (name) values ('garden');
insert into core.ontology_version (ontology_id, version, message) values (2, 1, 'plants');
insert into core.class (ontology_id, name, parent_class_id, kinds, version_from, is_open) values
    (2, 'plant', null, '{classification,box}', 1, true), (2, 'flower', 4, '{classification,box}', 1, false),
    (2, 'weed', 4, '{classification,box}', 1, true);
insert into core.class_attribute (class_id, name, type, choices, is_required, place, version_from)
values (5, 'colour', 'choice', '{red,white}', true, 1, 1);
insert into core.ontology_version (ontology_id, version, message) values (2, 2, 'polygons; shades of red');
update core.class set kinds = '{classification,box,polygon}', changed_in = 2 where class_id = 5;
insert into core.class_attribute (class_id, name, type, choices, condition, place, version_from)
values (5, 'shade', 'choice', '{dark,light}', '{"colour": ["red"]}', 2, 2);
insert into core.ontology_version (ontology_id, version, message) values (2, 3, 'blossoms; weeds are plants');
update core.class set version_to = 3 where class_id in (5, 6);
insert into core.class (ontology_id, name, parent_class_id, kinds, version_from, is_open, replaces_class_id)
values (2, 'blossom', 4, '{classification,box,polygon}', 3, false, 5);
insert into core.class_attribute (
    class_id, name, type, choices, is_required, condition, place, version_from, replaces_attribute_id)
select 7, a.name, a.type, a.choices, a.is_required, a.condition, a.place, 3, a.attribute_id
from core.class_attribute as a where a.class_id = 5;
update core.class_attribute set version_to = 3 where class_id = 5;
insert into core.class_rule (ontology_id, version, place, class_id, target_class_id, given)
values (2, 3, 1, 5, 7, null), (2, 3, 2, 6, 4, '{"wanted": false}');

-- Two pictures went to Label Studio; one came back with a box that was changed here too.
insert into core.exchange (editor, ontology_id, run_id, created_at) values ('label_studio', 1, 1, '2026-01-07');
insert into core.exchange_item (exchange_id, media_id, name) values (1, 8, 'dog/8.png'), (1, 10, '10.png');
insert into core.exchange_object (exchange_id, media_id, answer, region, object_id, label_id, said)
select 1, 8, '', 'o' || l.object_id, l.object_id, 101, '{"class": "cat", "kind": "box", "x": 2, "y": 3, "w": 11, "h": 12}'
from core.label as l where l.label_id = 101;
insert into core.exchange_answer (exchange_id, media_id, answer, actor_id, said_at, digest)
values (1, 8, 'annotation 31', 2, '2026-01-08', sha256('31'));
insert into core.exchange_conflict (
    exchange_id, media_id, answer, region, object_id, base_label_id, theirs, actor_id, said_at
)
select 1, 8, 'annotation 31', o.region, o.object_id, 101, o.said, 2, '2026-01-08' from core.exchange_object as o;
insert into core.exchange_refusal (exchange_id, media_id, place, reason, detail, content)
values (1, 10, 'tasks.json#2, task 2, annotation 32', 'unknown_class', 'no class fox', '{"id": 32, "result": []}');

-- Its boxes, matched with the labels: one cat found (IoU 0.7), one missed, and a dog where there is none.
insert into core.predicted_label (run_id, media_id, class_id, kind, x, y, w, h, confidence)
select r.run_id, 9, 3, 'box', 0, 0, 8, 8, 0.5 from core.run as r where r.kind = 'import_predictions';
insert into core.run (kind, status, code_version, counts, started_at, finished_at)
values ('evaluate_detections', 'succeeded', '0.1.0', '{"AP50": 0.5}', '2026-01-08', '2026-01-08');
insert into core.detection_evaluation (run_id, predictions_run_id, ontology_id, revision)
select e.run_id, p.run_id, 1, core.checkpoint() from core.run as e, core.run as p
where e.kind = 'evaluate_detections' and p.kind = 'import_predictions';
insert into core.detection_match (
    run_id, predicted_label_id, media_id, class_id, confidence, rank, right_at, ignored_at, label_id, iou_same, iou_other
)
select
    e.run_id, p.predicted_label_id, p.media_id, p.class_id, p.confidence, 0,
    case p.class_id when 2 then '{31,31,0,0}' else '{0,0,0,0}' end::smallint[], '{0,0,1023,1023}',
    case p.class_id when 2 then 1 end, case p.class_id when 2 then 0.7 else 0 end, 0
from core.predicted_label as p, core.detection_evaluation as e where p.kind = 'box';
insert into core.detection_truth (run_id, label_id, media_id, class_id, area, is_crowd, found_at, iou_same, iou_other)
select e.run_id, x.* from core.detection_evaluation as e, (values
    (1, 8, 2, 200.0, false, 31, 0.7, 0), (2, 7, 2, 150, false, 0, 0, 0)
) as x (label_id, media_id, class_id, area, is_crowd, found_at, iou_same, iou_other);
