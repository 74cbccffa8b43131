-- What each detector of label errors said of each label, suspected or not.
create view smartdb.label_score as
select
    g.run_id, d.detector, h.label_id, h.media_id, h.class, h.actor, u.score,
    (u.suspects >> (d.place - 1)::integer) & 1 = 1 as is_suspect, h.rev_to is null as is_live
from core.label_scoring as g
cross join lateral unnest(g.detectors) with ordinality as d (detector, place)
join core.label_score as s on s.run_id = g.run_id
cross join lateral unnest(
    s.label_ids,
    s.scores[
        ((d.place - 1) * cardinality(s.label_ids) + 1)::integer : (d.place * cardinality(s.label_ids))::integer
    ],
    s.suspects
) as u (label_id, score, suspects)
join smartdb.label_history as h on h.label_id = u.label_id
where u.score <> 'NaN';

comment on view smartdb.label_score is
    'What each detector of label errors said of each label that it examined. A row for each run; the last word on a label is '
    'that of the largest run_id. To compare detectors see detector_comparison.';
comment on column smartdb.label_score.run_id is 'The run.';
comment on column smartdb.label_score.detector is 'The detector.';
comment on column smartdb.label_score.label_id is 'The examined state of the label.';
comment on column smartdb.label_score.media_id is 'The media.';
comment on column smartdb.label_score.class is 'The class it was given.';
comment on column smartdb.label_score.actor is 'Who gave it.';
comment on column smartdb.label_score.score is 'How suspicious, 0 to 1; larger is more. Comparable within one detector and run.';
comment on column smartdb.label_score.is_suspect is 'Whether the detector would ask about it.';
comment on column smartdb.label_score.is_live is 'False if the label has changed since.';

-- example:
--   select detector, label_id, class, score, is_suspect from smartdb.label_score where label_id in
--   (5, 9) order by detector, label_id
-- result:
--   predicted_neq_given | 5 | cat | 0.8 | True
--   predicted_neq_given | 9 | dog | 0.6 | False
--   rank | 5 | cat | 0.8 | True
--   rank | 9 | dog | 0.6 | True
