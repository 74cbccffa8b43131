-- The last word of each detector on each label that a reviewer has decided, beside the verdict.
create view smartdb.detector_word as
with verdict as (
    select distinct on (r.label_id) r.label_id, r.verdict <> 'accepted' as is_wrong
    from smartdb.review as r
    where r.verdict in ('accepted', 'corrected', 'rejected')
    order by r.label_id, r.review_id desc
),
placed as (
    select v.label_id, v.is_wrong, s.run_id, s.scores, s.suspects,
        array_position(s.label_ids, v.label_id) as i, cardinality(s.label_ids) as n
    from verdict as v
    join core.label_score as s on s.part = v.label_id / 1024
)
select distinct on (d.detector, p.label_id)
    d.detector, p.label_id, p.is_wrong, p.run_id, w.score,
    (p.suspects[p.i] >> (d.place - 1)::integer) & 1 = 1 as is_suspect
from placed as p
join core.label_scoring as g on g.run_id = p.run_id
cross join lateral unnest(g.detectors) with ordinality as d (detector, place)
cross join lateral (select p.scores[((d.place - 1) * p.n + p.i)::integer] as score) as w
where p.i is not null and w.score <> 'NaN'
order by d.detector, p.label_id, p.run_id desc;

comment on view smartdb.detector_word is
    'The last word of each detector on each label that a reviewer has decided, beside the verdict: what detectors are compared by.';
comment on column smartdb.detector_word.detector is 'The detector.';
comment on column smartdb.detector_word.label_id is 'The judged state of the label.';
comment on column smartdb.detector_word.is_wrong is 'Whether the label was wrong, by the last verdict.';
comment on column smartdb.detector_word.run_id is 'The run.';
comment on column smartdb.detector_word.score is 'How suspicious the detector found it, 0 to 1.';
comment on column smartdb.detector_word.is_suspect is 'Whether the detector would have asked about it.';

-- example:
--   select detector, label_id, is_wrong, score, is_suspect from smartdb.detector_word
--   order by detector, label_id
-- result:
--   predicted_neq_given | 5 | True | 0.8 | True
--   predicted_neq_given | 9 | False | 0.6 | False
--   rank | 5 | True | 0.8 | True
--   rank | 9 | False | 0.6 | True
