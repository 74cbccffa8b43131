-- Wrong predictions, with whether the label is under suspicion too.
create view smartdb.error as
select
    p.run_id, p.media_id, m.uri, p.split, p.class, p.predicted_class, p.confidence, p.margin,
    i.score as issue_score, i.state as issue_state
from smartdb.prediction as p
join smartdb.media as m on m.media_id = p.media_id
left join core.label_issue as i on i.label_id = p.label_id and i.kind = 'swapped'
where not p.is_correct;

comment on view smartdb.error is
    'Wrong predictions: the model''s fault, or the label''s? issue_score says how suspicious the label is. Order by confidence desc.';
comment on column smartdb.error.run_id is 'The run.';
comment on column smartdb.error.media_id is 'The media.';
comment on column smartdb.error.uri is 'Where its bytes lie.';
comment on column smartdb.error.split is 'train, val or test.';
comment on column smartdb.error.class is 'The class by its label.';
comment on column smartdb.error.predicted_class is 'The predicted class.';
comment on column smartdb.error.confidence is 'Probability of the predicted class.';
comment on column smartdb.error.margin is 'Probability of the predicted class less that of the second.';
comment on column smartdb.error.issue_score is 'How suspicious the label is, 0 to 1; null: no suspicion.';
comment on column smartdb.error.issue_state is 'open, confirmed or dismissed.';

-- example:
--   select media_id, split, class, predicted_class, confidence, issue_score, issue_state from
--   smartdb.error where run_id = 4 order by confidence desc
-- result:
--   4 | test | dog | cat | 0.8 | None | None
--   5 | test | cat | dog | 0.8 | 0.8 | confirmed
