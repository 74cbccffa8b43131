-- Evaluating detections: matched once with the truth, at every IoU that COCO asks for, and kept as rows.

create table core.detection_evaluation (
    run_id bigint not null,
    predictions_run_id bigint not null,
    ontology_id bigint not null,
    revision bigint not null,
    dataset_id bigint,
    version integer,
    split text,
    constraint detection_evaluation_pk primary key (run_id),
    constraint detection_evaluation_split_check check (split in ('train', 'val', 'test')),
    constraint detection_evaluation_version_check check ((dataset_id is null) = (version is null)),
    constraint detection_evaluation_run_fk foreign key (run_id) references core.run (run_id) on delete restrict,
    constraint detection_evaluation_predictions_fk foreign key (predictions_run_id)
        references core.run (run_id) on delete restrict,
    constraint detection_evaluation_ontology_fk foreign key (ontology_id)
        references core.ontology (ontology_id) on delete restrict,
    constraint detection_evaluation_dataset_fk foreign key (dataset_id, version)
        references core.dataset_version (dataset_id, version) on delete restrict
);
create index detection_evaluation_predictions_idx on core.detection_evaluation (predictions_run_id);
create index detection_evaluation_ontology_idx on core.detection_evaluation (ontology_id);
create index detection_evaluation_dataset_idx on core.detection_evaluation (dataset_id, version);
call core.make_permanent('core.detection_evaluation', 'run_id');
create trigger keep_used_version before insert on core.detection_evaluation
    for each row execute function core.keep_used_version();
comment on table core.detection_evaluation is 'One set of detections, and the labels that they were matched with.';
comment on column core.detection_evaluation.run_id is 'The run that matched them.';
comment on column core.detection_evaluation.predictions_run_id is 'The run whose detections (core.predicted_label) they are.';
comment on column core.detection_evaluation.ontology_id is 'Whose labels are the truth.';
comment on column core.detection_evaluation.revision is 'At which the labels were read.';
comment on column core.detection_evaluation.dataset_id is 'The dataset whose media were judged; null: all with labels or detections.';
comment on column core.detection_evaluation.version is 'Its version.';
comment on column core.detection_evaluation.split is 'The split of it; null: all.';

create table core.detection_truth (
    run_id bigint not null,
    label_id bigint not null,
    media_id bigint not null,
    class_id bigint not null,
    area double precision not null,
    is_crowd boolean not null,
    found_at smallint not null,
    iou_same real not null,
    iou_other real not null,
    constraint detection_truth_pk primary key (run_id, label_id)
);
create index detection_truth_media_idx on core.detection_truth (media_id);
call core.protect('core.detection_truth');
call core.refer('core.detection_truth', '{
    {run_id, core.detection_evaluation, run_id},
    {label_id, core.label, label_id},
    {media_id, core.media, media_id},
    {class_id, core.class, class_id}
}');
comment on table core.detection_truth is 'A label that detections were matched with.';
comment on column core.detection_truth.run_id is 'The evaluation.';
comment on column core.detection_truth.label_id is 'The label row.';
comment on column core.detection_truth.media_id is 'Its media.';
comment on column core.detection_truth.class_id is 'Its class.';
comment on column core.detection_truth.area is 'Pixels in its outline, or in its box.';
comment on column core.detection_truth.is_crowd is 'Whether it stands for many: what lies in it does not count.';
comment on column core.detection_truth.found_at is 'Bit i is set if a detection takes it at IoU 0.5 + 0.05 i.';
comment on column core.detection_truth.iou_same is 'Largest IoU with a detection of its class.';
comment on column core.detection_truth.iou_other is 'Largest IoU with a detection of another class.';

create table core.detection_match (
    run_id bigint not null,
    predicted_label_id bigint not null,
    media_id bigint not null,
    class_id bigint not null,
    confidence real not null,
    rank integer not null,
    right_at smallint[] not null,
    ignored_at smallint[] not null,
    label_id bigint,
    iou_same real not null,
    iou_other real not null,
    other_class_id bigint,
    constraint detection_match_pk primary key (run_id, predicted_label_id),
    constraint detection_match_bits_check check (cardinality(right_at) = 4 and cardinality(ignored_at) = 4)
);
create index detection_match_media_idx on core.detection_match (media_id);
call core.protect('core.detection_match');
call core.refer('core.detection_match', '{
    {run_id, core.detection_evaluation, run_id},
    {media_id, core.media, media_id},
    {class_id, core.class, class_id}
}');
comment on table core.detection_match is 'A detection, and where it is right: bit i stands for IoU 0.5 + 0.05 i.';
comment on column core.detection_match.run_id is 'The evaluation.';
comment on column core.detection_match.predicted_label_id is 'The detection.';
comment on column core.detection_match.media_id is 'Its media.';
comment on column core.detection_match.class_id is 'Its class.';
comment on column core.detection_match.confidence is 'How sure the model was.';
comment on column core.detection_match.rank is 'Its place among those of its media and class, the most confident 0.';
comment on column core.detection_match.right_at is 'Bits where it is right, for the areas all, small, medium, large.';
comment on column core.detection_match.ignored_at is 'Bits where it does not count (a crowd, another size), for the same areas.';
comment on column core.detection_match.label_id is 'The label that it takes at IoU 0.5.';
comment on column core.detection_match.iou_same is 'Largest IoU with a label of its class.';
comment on column core.detection_match.iou_other is 'Largest IoU with a label of another class.';
comment on column core.detection_match.other_class_id is 'The class of that label.';
