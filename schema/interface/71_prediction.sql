-- What runs predicted, beside the truth they are judged against.
create view smartdb.prediction as
with truth as (
    select distinct on (p.run_id, p.media_id) p.run_id, p.media_id, l.class_id, l.label_id
    from core.evaluation as e
    join core.prediction as p on p.run_id = e.run_id
    join core.label as l
        on l.media_id = p.media_id and l.kind = 'classification'
        and l.origin in ('consensus', 'human', 'import')
        and l.rev_from <= e.revision and (l.rev_to is null or l.rev_to > e.revision)
    order by
        p.run_id, p.media_id,
        case l.origin when 'consensus' then 0 when 'human' then 1 else 2 end,
        l.rev_from desc
)
select
    p.run_id, p.media_id, i.split, t.name as class, c.name as predicted_class,
    t.class_id = p.class_id as is_correct,
    p.confidence, p.margin, p.entropy, p.probability,
    p.class_id as predicted_class_id, t.class_id, truth.label_id
from core.prediction as p
join core.evaluation as e on e.run_id = p.run_id
join core.class as c on c.class_id = p.class_id
left join truth on truth.run_id = p.run_id and truth.media_id = p.media_id
left join core.class as t on t.class_id = truth.class_id
left join core.dataset_item as i
    on i.dataset_id = e.dataset_id and i.media_id = p.media_id
    and i.version_from <= e.version and (i.version_to is null or i.version_to > e.version);

comment on view smartdb.prediction is
    'What runs predicted, beside the class at the revision they are judged against. Always name a run: where run_id = ...';
comment on column smartdb.prediction.run_id is 'The run.';
comment on column smartdb.prediction.media_id is 'The media.';
comment on column smartdb.prediction.split is 'train, val or test in the run''s dataset version; null: not in it.';
comment on column smartdb.prediction.class is 'The true class, as the labels had it; null is unlabelled.';
comment on column smartdb.prediction.predicted_class is 'The predicted class.';
comment on column smartdb.prediction.is_correct is 'Whether they are the same; null for unlabelled media.';
comment on column smartdb.prediction.confidence is 'Probability of the predicted class.';
comment on column smartdb.prediction.margin is 'Probability of the predicted class less that of the second.';
comment on column smartdb.prediction.entropy is 'Shannon entropy of the probabilities, in nats.';
comment on column smartdb.prediction.probability is 'Probabilities, in the order of training_run.classes.';
comment on column smartdb.prediction.predicted_class_id is 'Identity of the predicted class.';
comment on column smartdb.prediction.class_id is 'Identity of the true class.';
comment on column smartdb.prediction.label_id is 'The label that says so.';

-- example:
--   select media_id, split, class, predicted_class, is_correct, confidence from
--   smartdb.prediction where run_id = 4 and split = 'test' order by media_id
-- result:
--   4 | test | dog | cat | False | 0.8
--   5 | test | cat | dog | False | 0.8
--   9 | test | dog | dog | True | 0.6
