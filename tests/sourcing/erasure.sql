-- Media with all that can be known of them: 1 to n by themselves, n + i made of i by a sanitising
-- step. Ana is on 2 to 4. For psycopg: %(uri)s is the folder, %(n)s is n.

insert into core.run (kind, status, code_version, finished_at) values ('ingest', 'succeeded', '0', now());
insert into core.source (name, uri) values ('pictures', %(uri)s), ('managed', %(uri)s);
insert into core.media (
    sha256, kind, mime, n_bytes, width, height, phash, captured_at, group_key, exif, attributes, run_id)
select sha256(('bytes ' || i)::bytea), 'image', 'image/png', 9, 8, 8, i::bit(64), '2020-01-01', 'ana',
    '{"Artist": "ana"}', '{"name": "ana"}', 1
from generate_series(1, %(n)s) as i;
insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id, parent_media_id, recipe)
select sha256(('bytes ' || %(n)s + i)::bytea), 'image', 'image/png', 9, 8, 8, 1, i,
    '{"step": "sanitise", "regions": [[1, 2, 3, 4]]}'
from generate_series(1, %(n)s) as i;
insert into core.media_location (media_id, source_id, uri, n_bytes, modified_at, is_managed)
select i, 1, %(uri)s || '/' || i || '.png', 9, now(), false from generate_series(1, %(n)s) as i
union all
select %(n)s + i, 2, %(uri)s || '/' || %(n)s + i || '.png', 9, now(), true
from generate_series(1, %(n)s) as i;
insert into core.quality (media_id, brightness, contrast, sharpness, entropy, colourfulness)
select i, 0.5, 0.2, 1, 5, 30 from generate_series(1, %(n)s) as i;
insert into core.finding (media_id, kind, detail, run_id)
select i, 'gps', '{"latitude": 1}', 1 from generate_series(1, %(n)s) as i;
insert into core.duplicate (media_id, group_id, run_id) select i, 1, 1 from generate_series(1, %(n)s) as i;
insert into core.media_subject (media_id, subject_key) select i, 'ana' from generate_series(2, 4) as i;
select core.add_encoder('toy', 2);
insert into core.embedding_1 (media_id, v) select i, '[1,0]' from generate_series(1, 2 * %(n)s) as i;
insert into core.neighbour (encoder_id, media_id, rank, neighbour_id, distance)
select 1, i, 1, i %% %(n)s + 1, 0 from generate_series(1, %(n)s) as i;
insert into core.duplicate_pair (encoder_id, media_id, other_id, bits, distance)
select 1, i, i + 1, 0, 0 from generate_series(1, %(n)s) as i;
insert into core.ontology (name) values ('things');
insert into core.ontology_version (ontology_id, version, message) values (1, 1, 'one');
insert into core.class (ontology_id, name, version_from) values (1, 'apple', 1), (1, 'pear', 1);
insert into core.actor (name, kind) values ('folders', 'import'), ('bo', 'person');
insert into core.label (media_id, class_id, kind, x, y, w, h, attributes, track_id, origin, actor_id)
select i, 1, 'box', 1, 2, 3, 4, '{"plate": "B-AN 1"}', 7, 'import', 1 from generate_series(1, %(n)s) as i;
insert into core.label (media_id, class_id, kind, shape, origin, actor_id)
select i, 1, 'caption', '{"text": "ana at home"}', 'import', 1 from generate_series(1, %(n)s) as i;
update core.label set rev_to = 0 where kind = 'caption';
insert into core.label (media_id, class_id, origin, actor_id)
select i, 1, 'import', 1 from generate_series(1, %(n)s) as i;
insert into core.review (label_id, reviewer_id, verdict, reason)
select l.label_id, 2, 'accepted', 'I know ana' from core.label as l where l.kind = 'classification';
insert into core.label_scoring (run_id, detectors) values (1, '{rank}');
insert into core.label_score (run_id, part, label_ids, scores, suspects)
select 1, l.label_id / 1024, array_agg(l.label_id), array_agg(0.5::real), array_agg(0) from core.label as l group by 2;
insert into core.comment (media_id, actor_id, text) select i, 2, 'I know ana' from generate_series(1, %(n)s) as i;
insert into core.label_issue (media_id, label_id, kind, score, run_id)
select l.media_id, l.label_id, 'swapped', 0.5, 1 from core.label as l where l.kind = 'classification';
insert into core.task (kind, media_id) select 'label', i from generate_series(1, %(n)s) as i;
insert into core.batch (strategy, seed, run_id) values ('random', 0, 1);
insert into core.batch_item (batch_id, media_id, rank, score, reason)
select 1, i, i, 0, 'none' from generate_series(1, %(n)s) as i;
insert into core.media_tag (media_id, tag, actor_id) select i, 'ana', 2 from generate_series(1, %(n)s) as i;
update core.media_tag set rev_to = 0;
insert into core.media_tag (media_id, tag, actor_id) select i, 'ana', 2 from generate_series(1, %(n)s) as i;
insert into core.slice (name) values ('of ana');
insert into core.slice_media (slice_id, media_id) select 1, i from generate_series(1, %(n)s) as i;
insert into core.dataset (name, ontology_id) values ('d', 1), ('other', 1);
insert into core.dataset_version (dataset_id, version, revision, query, seed, message, run_id, ontology_version)
select d.dataset_id, 1, core.checkpoint(), 'true', 0, '', 1, 1 from core.dataset as d;
insert into core.dataset_item (dataset_id, media_id, split, version_from)
select 1, i, 'train', 1 from generate_series(1, %(n)s) as i union all select 2, %(n)s, 'test', 1;
update core.dataset_version as v set n_items = 16, digest = smartdb.dataset_digest(d.name, 1), sealed_at = now()
from core.dataset as d where d.dataset_id = v.dataset_id;
insert into core.model (name, run_id, dataset_id, version, class_ids, uri, sha256)
values ('m', 1, 1, 1, '{1,2}', 'file:///models/m', sha256('m'));
insert into core.evaluation (run_id, dataset_id, version, revision, class_ids)
select 1, 1, 1, v.revision, '{1,2}' from core.dataset_version as v where v.dataset_id = 1;
select core.add_prediction_partition(1);
insert into core.prediction (
    run_id, media_id, class_id, probability, confidence, margin, entropy, true_label_id, true_class_id, split)
select 1, c.media_id, 1, '{1,0}', 1, 1, 0, c.label_id, c.class_id, 'train' from smartdb.media_class as c;
insert into core.training_dynamics (run_id, media_id, loss, el2n, n_forgotten, n_correct, n_epochs)
select 1, i, 0, 0, 0, 1, 1 from generate_series(1, %(n)s) as i;
insert into core.pruning (method, seed, run_id, predicate, n_candidates, inputs_sha256)
values ('random', 0, 1, 'true', %(n)s, sha256(''));
insert into core.pruning_item (pruning_id, media_id, rank, score, reason, kept_by)
select 1, i, i, 0, 'random', i %% %(n)s + 1 from generate_series(1, %(n)s) as i;
