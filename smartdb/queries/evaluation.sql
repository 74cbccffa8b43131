-- name: predicts
-- The classes of a run that predicted, in the order of its probabilities.
select e.classes from smartdb.evaluation as e where e.run_id = %(run_id)s;

-- name: training_runs
-- Training runs, of a dataset or all, newest first.
select
    t.run_id, t.status, t.model, t.dataset, t.version, t.encoder, t.seed, t.test_accuracy,
    (
        select m.value from smartdb.metric as m
        where m.run_id = t.run_id and m.name = 'macro_f1' and m.split = 'test' and m.step is null
    ) as test_macro_f1,
    t.started_at, t.error
from smartdb.training_run as t
where %(dataset)s::text is null or t.dataset = %(dataset)s
order by t.run_id desc
limit %(limit)s;

-- name: curve
-- Loss after each epoch.
select m.split, m.step, m.value from smartdb.metric as m
where m.run_id = %(run_id)s and m.name = 'loss' and m.step is not null
order by m.split, m.step;

-- name: confusion_matrix
-- How often each class was taken for each.
select c.class, c.predicted_class, c.n, c.mean_confidence
from smartdb.confusion_matrix as c
where c.run_id = %(run_id)s and c.split = %(split)s
order by c.class, c.predicted_class;

-- name: class_metrics
-- Precision, recall and F1 of each class, worst first.
select c.class, c.n_true, c.n_predicted, c.n_right, c.precision, c.recall, c.f1
from smartdb.class_metric as c
where c.run_id = %(run_id)s and c.split = %(split)s
order by c.f1 nulls first, c.class;

-- name: worst_slices
-- Where the run does worse than on the whole, worst first.
select w.facet, w.slice, w.n, w.n_wrong, w.accuracy, w.difference, w.z
from smartdb.worst_slice(%(run_id)s, %(split)s, %(min_n)s) as w
order by w.z, w.facet, w.slice;

-- name: comparison
-- One run against another on the same media and the labels of the second.
select c.n, c.accuracy_a, c.accuracy_b, c.n_fixed, c.n_broken, c.chi_squared
from smartdb.run_comparison(%(run_a)s, %(run_b)s, %(split)s) as c;

-- name: regressions
-- What the second run fixed or broke, the broken first, the most confident first.
select
    r.media_id, r.change, r.class, r.predicted_a, r.predicted_b, r.confidence_a, r.confidence_b,
    m.uri
from smartdb.regression(%(run_a)s, %(run_b)s, %(split)s) as r
join smartdb.media as m on m.media_id = r.media_id
where r.change in ('broken', 'fixed')
order by r.change, r.confidence_b desc, r.media_id
limit %(limit)s;

-- name: errors
-- Wrong predictions, the most confident first.
select
    e.media_id, e.class, e.predicted_class, e.confidence, e.margin, e.issue_score, e.issue_state,
    e.split, e.uri
from smartdb.error as e
where e.run_id = %(run_id)s and (%(split)s::text is null or e.split = %(split)s)
order by e.confidence desc, e.media_id
limit %(limit)s;
