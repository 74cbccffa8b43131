-- Who may do what, written out in full at each rebuild: what is not granted here is not granted.
-- smartdb_owner owns everything; the other roles are described in schema/roles.sql.

-- Nobody, to begin with.
revoke all on schema core, smartdb
from public, smartdb_reader, smartdb_annotator, smartdb_reviewer, smartdb_writer, smartdb_privacy;
revoke all on all tables in schema core, smartdb
from public, smartdb_reader, smartdb_annotator, smartdb_reviewer, smartdb_writer, smartdb_privacy;
revoke all on all sequences in schema core, smartdb
from public, smartdb_reader, smartdb_annotator, smartdb_reviewer, smartdb_writer, smartdb_privacy;
revoke all on all routines in schema core, smartdb
from public, smartdb_reader, smartdb_annotator, smartdb_reviewer, smartdb_writer, smartdb_privacy;
-- Nor on what is made later, such as the triggers of an encoder's table.
alter default privileges for role smartdb_owner revoke execute on routines from public;

-- Readers, and with them everybody: the whole interface, and nothing of core.
grant usage on schema smartdb to smartdb_reader;
grant select on all tables in schema smartdb to smartdb_reader;
grant execute on all routines in schema smartdb to smartdb_reader;

-- Terms are read by functions that act as the owner; readers reach them through the interface alone.
grant execute on function core.terms_above(bigint), core.use_refused(text, timestamptz) to smartdb_reader;
grant execute on function core.original(bigint) to smartdb_reader;
-- What is between two shapes is computed from what they may read.
grant execute on function
    core.shape_between(text, jsonb, jsonb, double precision), core.points_between(jsonb, jsonb, double precision)
to smartdb_reader;
-- So is what is written about media, which is never told, only matched.
grant execute on function core.text_match(tsquery, bigint) to smartdb_reader;
-- What an ontology has against a label is told with the label.
grant execute on function
    core.label_problem(bigint, text, jsonb, jsonb),
    core.is_unfit(jsonb, text, text[], double precision, double precision),
    core.meets(jsonb, jsonb)
to smartdb_reader;
-- Verifying a version counts hidden media too, and tells the digest alone.
grant execute on function core.count_digest(bigint, integer) to smartdb_reader;

-- All that follows needs to name tables of core. Row-level security looks at restriction.
grant usage on schema core
to smartdb_annotator, smartdb_reviewer, smartdb_writer, smartdb_privacy;
grant select (media_id) on core.restriction to smartdb_annotator, smartdb_reviewer;

-- Annotators and reviewers: see what is to be said, about what, and what was said.
grant select on
    core.ontology, core.ontology_version, core.class, core.media, core.media_location, core.actor,
    core.batch, core.batch_item, core.task, core.label, core.review, core.label_issue, core.media_tag,
    core.project, core.submission, core.label_edit, core.track_end, core.comment, core.review_transition
to smartdb_annotator, smartdb_reviewer;
-- A person is known by name at their first answer.
grant insert on core.actor to smartdb_annotator, smartdb_reviewer;
-- Claim a task, give it back, finish it.
grant update (state, assignee_id, lease_until, claimed_at, done_at, seconds, reason) on core.task
to smartdb_annotator, smartdb_reviewer;
-- Keep an answer, also one about what was hidden meanwhile.
grant execute on function
    core.keep_submission(bigint, bigint, text, jsonb, bigint[], real, text, text)
to smartdb_annotator, smartdb_reviewer, smartdb_writer;
-- But who works on what is not for annotators to say.
revoke execute on function smartdb.reassign_task(bigint, text, interval) from smartdb_reader;
grant execute on function smartdb.reassign_task(bigint, text, interval) to smartdb_reviewer, smartdb_writer;
-- Whoever writes labels has their shapes checked.
grant execute on function
    core.path_of(jsonb), core.mask_facts(integer, text), core.bounds_of(text, jsonb),
    core.shape_problem(text, double precision, double precision, double precision, double precision, jsonb),
    core.place_problem(text, double precision, double precision, double precision, double precision, jsonb, integer, integer),
    core.misplaced(core.label), core.is_said_before(core.label), core.video_of(bigint)
to smartdb_annotator, smartdb_reviewer, smartdb_writer;
-- Number what they write.
grant usage on sequence core.revision, core.label_object to smartdb_annotator, smartdb_reviewer;
-- Say something.
grant insert on core.comment to smartdb_annotator, smartdb_reviewer, smartdb_writer;
grant insert (label_id, reviewer_id, verdict, reason, task_id) on core.review to smartdb_annotator;
-- Judge, or (annotators, by a trigger) only dispute; what a label may become next is for triggers to say.
grant execute on function
    core.last_verdict(bigint), core.may_judge(bigint, bigint, text), core.lock_label(bigint, bigint),
    core.reopen_label(bigint)
to smartdb_annotator, smartdb_reviewer, smartdb_writer;
-- Say why they changed a label.
grant insert on core.label_edit to smartdb_annotator, smartdb_reviewer, smartdb_writer;
-- Reviewers: answer a suspicion, and send a media back to be labelled again.
grant update (state, decided_by, decided_at, reason, new_label_id) on core.label_issue to smartdb_reviewer;
grant insert on core.task to smartdb_reviewer;
grant select on core.gold to smartdb_reviewer;

-- Writers, that is pipelines: read everything.
grant select on all tables in schema core to smartdb_writer;
grant usage on all sequences in schema core to smartdb_writer;
-- But whom media show, and what was erased why, is the privacy officer's.
revoke all on core.media_subject, core.erasure from smartdb_writer;
-- And what is written about hidden media is not read, only matched.
revoke all on core.media_text from smartdb_writer;
-- Facts that only ever grow.
grant insert on
    core.actor, core.ontology, core.ontology_version, core.batch, core.batch_item, core.model,
    core.detector, core.evaluation, core.prediction, core.metric, core.extraction, core.region_crop,
    core.recipe, core.drift
to smartdb_writer;
grant insert on
    core.detection_evaluation, core.detection_match, core.detection_truth,
    core.training_dynamics, core.pruning, core.pruning_item, core.pruning_point
to smartdb_writer;
-- Facts of which a part may be found out, or end, later.
grant insert, update (status, counts, error, finished_at) on core.run to smartdb_writer;
grant insert, update (uri, licence, consent_basis, allowed_use, jurisdiction, expires_at)
on core.source to smartdb_writer;
grant insert, update (captured_at, group_key, attributes) on core.media to smartdb_writer;
grant insert, update (version_to, changed_in, parent_class_id, kinds, skeleton, is_open) on core.class to smartdb_writer;
grant insert, update (version_to) on core.class_attribute to smartdb_writer;
grant insert on core.class_rule to smartdb_writer;
grant execute on function core.migrated_attributes(jsonb, jsonb, jsonb, jsonb) to smartdb_writer;
grant insert, update (class_id) on core.class_mapping to smartdb_writer;
grant insert, update, delete on core.quality_threshold, core.media_terms to smartdb_writer;
grant insert, update (note) on core.dataset to smartdb_writer;
grant insert, update (version_to) on core.dataset_item to smartdb_writer;
-- What was written to files, and where; what is gone holds nothing any more.
grant insert, update (state, n_files, n_bytes, manifest_sha256, finished_at, run_id) on core.export to smartdb_writer;
grant insert, delete on core.export_part to smartdb_writer;
-- What people say of dataset versions; notes stay.
grant insert on core.dataset_note to smartdb_writer;
grant insert, delete on core.dataset_pin to smartdb_writer;
-- Triggers refuse a change of what is sealed.
grant insert, update (n_items, digest, sealed_at) on core.dataset_version to smartdb_writer;
-- State, which is meant to change.
grant insert, update on core.media_location, core.task to smartdb_writer;
grant insert, update (predicate, note), delete on core.slice to smartdb_writer;
grant insert, delete on core.slice_media to smartdb_writer;
grant insert, update (class_id, predicate, note), delete on core.labelling_function to smartdb_writer;
grant insert on core.auto_label_threshold to smartdb_writer;
-- Derived: may be made anew, so may be thrown away.
grant insert, update, delete on
    core.quarantine, core.quality, core.finding, core.neighbour, core.duplicate,
    core.duplicate_pair, core.label_issue, core.import_problem, core.predicted_label
to smartdb_writer;
grant insert, delete on core.prompt to smartdb_writer;
grant insert on core.label_scoring, core.label_score to smartdb_writer;
grant insert, update (predicate, note), delete on core.label_rule to smartdb_writer;
grant insert, update, delete on core.graph, core.media_graph, core.cluster, core.map to smartdb_writer;
grant insert, update, delete on core.detector_media to smartdb_writer;
-- Which labels reviewers are asked to look at.
grant insert, update (screened_at) on core.review_plan to smartdb_writer;
grant insert on core.review_plan_item to smartdb_writer;
-- What annotators are asked, and what is known to be true.
grant insert, update (instructions, overlap, gold_share, predicate, fill_by, depth, per_day, closed_at) on core.project
to smartdb_writer;
grant insert, update, delete on core.gold_score to smartdb_writer;
-- What label editors were given and said: kept as they say it, settled by who may change the labels.
grant insert on core.exchange, core.exchange_item to smartdb_writer;
grant select on
    core.exchange, core.exchange_item, core.exchange_object, core.exchange_answer, core.exchange_conflict, core.exchange_refusal
to smartdb_reviewer;
grant insert, update (object_id, label_id, said) on core.exchange_object to smartdb_reviewer, smartdb_writer;
grant insert, update (actor_id, said_at, digest) on core.exchange_answer to smartdb_reviewer, smartdb_writer;
grant insert, update (theirs, actor_id, said_at, state, resolved_by, reason, label_id, resolved_at)
on core.exchange_conflict to smartdb_reviewer, smartdb_writer;
grant insert on core.exchange_refusal, core.exchange_delivery to smartdb_reviewer, smartdb_writer;
grant select on core.exchange_delivery to smartdb_reviewer;
-- Hide a media, but not show it again.
grant insert on core.restriction to smartdb_writer;
-- A checkpoint, and what only the owner can do: make the tables of an encoder or a run, recognise
-- a media that is hidden, digest what was hidden since. Triggers of dataset_item call refuse_sealed.
grant execute on function
    core.checkpoint(),
    core.add_encoder(text, integer, bytea, jsonb),
    core.index_encoder(bigint),
    core.index_regions(bigint),
    core.add_prediction_partition(bigint),
    core.media_by_sha256(bytea[]),
    core.kin(),
    core.add_augmentation(
        bigint, bigint, bigint, integer, bytea, text, bigint, integer, integer, bit, real[], jsonb, text, jsonb, bigint[],
        bigint[], bigint
    ),
    core.erased_sha256(bytea[]),
    core.location_of(bigint, text[]),
    core.locate(bigint, bigint[], text[], bigint[], timestamptz[], text[], boolean),
    core.unmanaged(bigint, text[]),
    core.places_below(bigint, text, timestamptz),
    core.mark_missing(bigint, text[], timestamptz),
    core.mark_found(bigint, text[]),
    core.find_quality(bigint[], bigint),
    core.derive_findings(text[], bigint),
    core.refuse_sealed(bigint, integer[]),
    core.next_digest(bigint, integer),
    core.version_use(bigint, integer),
    core.prune_versions(bigint, integer[]),
    core.analyse(regclass),
    core.label_content(
        bigint, text, double precision, double precision, double precision, double precision, jsonb, jsonb
    )
to smartdb_writer;

-- The privacy officer: hides, shows and settles findings, and sees everything hidden.
grant select, insert, delete on core.restriction to smartdb_privacy;
grant select, insert, update (resolution, detail) on core.finding to smartdb_privacy;
grant select on core.media, core.media_location, core.source to smartdb_privacy;
-- States the terms of a source, and what its media must not show and their clean copies not have.
grant update (
    licence, consent_basis, allowed_use, jurisdiction, expires_at, strip_metadata, forbidden_finding
) on core.source to smartdb_privacy;
-- Looks for faces and the like in hidden media too, and makes the clean copies.
grant select, insert on core.detector to smartdb_privacy;
grant select, insert, update, delete on core.detector_media to smartdb_privacy;
grant select, insert, update (status, counts, error, finished_at) on core.run to smartdb_privacy;
-- Knows whom media show, and erases.
grant select, insert, delete on core.media_subject to smartdb_privacy;
grant select on core.erasure, core.tombstone to smartdb_privacy;
grant execute on function
    core.forbidden(bigint[]),
    core.hide_found(bigint[]),
    core.show_found(bigint[]),
    core.add_derivative(
        bigint, bytea, text, bigint, timestamptz, bit, jsonb, jsonb, real[], jsonb, text, bigint[], bigint
    ),
    core.erasure_scope(bigint[]),
    core.begin_erasure(text, text, text, bigint[]),
    core.erase_rows(bigint, integer),
    core.erased_files(bigint, bigint, integer),
    core.forget_files(bigint, bigint[], text[], text[]),
    core.finish_erasure(bigint)
to smartdb_privacy;

-- Versioned tables: write rows and close them; when is for triggers and the sequence to say, so
-- nobody may write rev_from or rev_to of a new row.
do $$
declare
    written constant text[][] := array[
        ['core.label', 'smartdb_writer, smartdb_annotator, smartdb_reviewer'],
        ['core.review', 'smartdb_writer, smartdb_reviewer'],
        ['core.gold', 'smartdb_writer, smartdb_reviewer'],
        ['core.dataset_tag', 'smartdb_writer'],
        ['core.media_tag', 'smartdb_writer, smartdb_annotator, smartdb_reviewer'],
        ['core.track_end', 'smartdb_writer, smartdb_annotator, smartdb_reviewer']
    ];
    one text[];
begin
    foreach one slice 1 in array written loop
        execute format(
            'grant insert (%s), update (rev_to) on %s to %s',
            (select string_agg(quote_ident(attname), ', ' order by attnum)
             from pg_attribute
             where attrelid = one[1]::regclass and attnum > 0 and not attisdropped
                 and attname not in ('rev_from', 'rev_to')),
            one[1], one[2]);
    end loop;
end
$$;

-- Vectors of each encoder that is there already (core.add_encoder grants the same on a new one):
-- derived, so may be thrown away. Partitions of core.prediction need no grant of their own.
do $$
declare
    id bigint;
begin
    for id in select encoder_id from core.encoder loop
        execute format('grant select, insert, delete on core.embedding_%1$s, core.region_embedding_%1$s to smartdb_writer', id);
    end loop;
end
$$;
