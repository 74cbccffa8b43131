-- name: begin
-- Makes the open transaction act as a role, within a time, without writing where it only reads.
select
    set_config('role', %(role)s, true), set_config('statement_timeout', %(timeout)s, true),
    set_config('transaction_read_only', %(read_only)s, true)

-- name: answer
-- Proves that the interface can be read.
select exists (select from smartdb.encoder) as has_encoder

-- name: classes
-- The classes in use, ontology by ontology, each after the one it is a kind of.
select t.ontology, t.class_id, t.class, p.class as parent, t.path
from smartdb.ontology_tree as t
left join smartdb.ontology_tree as p on p.class_id = t.parent_class_id
where %(ontology)s::text is null or t.ontology = %(ontology)s
order by t.ontology, t.path, t.class_id

-- name: tasks
-- A page of the tasks of a kind that wait, most wanted first; each state by its index.
select
    p.task_id, p.kind, p.media_id, p.label_id, p.priority, p.state, p.batch_id, p.created_at,
    p.last_assignee, p.project
from (
    (
        select
            t.task_id, t.kind, t.media_id, t.label_id, t.priority, t.state, t.batch_id,
            t.created_at, t.last_assignee, t.project
        from smartdb.task_queue as t
        where t.kind = %(kind)s and t.state = 'open'
            and t.priority <= coalesce(%(priority)s::double precision, 'infinity')
            and (
                %(priority)s::double precision is null or t.priority < %(priority)s
                or t.task_id > %(task_id)s
            )
        order by t.priority desc, t.task_id
        limit %(limit)s
    )
    union all
    (
        select
            t.task_id, t.kind, t.media_id, t.label_id, t.priority, t.state, t.batch_id,
            t.created_at, t.last_assignee, t.project
        from smartdb.task_queue as t
        where t.kind = %(kind)s and t.state = 'claimed' and t.lease_until < now()
            and t.priority <= coalesce(%(priority)s::double precision, 'infinity')
            and (
                %(priority)s::double precision is null or t.priority < %(priority)s
                or t.task_id > %(task_id)s
            )
        order by t.priority desc, t.task_id
        limit %(limit)s
    )
) as p
order by p.priority desc, p.task_id
limit %(limit)s

-- name: claimed
-- What somebody who claimed tasks must see, most wanted first.
select
    c.task_id, c.media_id, c.label_id, c.priority, c.lease_until, h.class, h.actor as labelled_by,
    i.suggested_class, i.kind as issue_kind, i.score as issue_score, p.project, c.prefill
from smartdb.claim_task(
    %(actor)s, %(kind)s, %(n)s, make_interval(secs => %(lease)s), %(project)s
) as c
left join smartdb.project as p on p.project_id = c.project_id
left join smartdb.label_history as h on h.label_id = c.label_id
left join lateral (
    select k.suggested_class, k.kind, k.score from smartdb.label_issue as k
    where k.label_id = c.label_id and k.state = 'open'
    order by k.score desc, k.issue_id limit 1
) as i on true
order by c.priority desc, c.task_id

-- name: review_queue_tied
-- Open suspicions of one score, after one of them: a walk of the queue's index amid equal scores.
select
    q.issue_id, q.label_id, q.media_id, q.class, q.actor, q.suggested_class, q.suggestion, q.kind,
    q.score, q.task_id, q.task_state
from smartdb.review_queue as q
where
    (%(kind)s::text is null or q.kind = %(kind)s)
    and q.score = %(score)s::real and q.issue_id > %(issue_id)s
order by q.issue_id
limit %(limit)s

-- name: review_queue_below
-- Open suspicions below a score (any), most suspicious first: a walk of the queue's index.
select
    q.issue_id, q.label_id, q.media_id, q.class, q.actor, q.suggested_class, q.suggestion, q.kind,
    q.score, q.task_id, q.task_state
from smartdb.review_queue as q
where
    (%(kind)s::text is null or q.kind = %(kind)s)
    and (%(score)s::real is null or q.score < %(score)s::real)
order by q.score desc, q.issue_id
limit %(limit)s

-- name: consensus
-- A page of what annotators say together, in the order of the labels.
with page as (
    select l.label_id, l.media_id
    from smartdb.label_history as l
    where
        l.origin = 'consensus' and l.rev_to is null and l.label_id > %(after)s
        and (%(method)s::text is null or l.actor = 'consensus: ' || %(method)s)
    order by l.label_id
    limit %(limit)s
)
select
    c.label_id, c.media_id, c.class, c.kind, c.confidence, c.n_judgements, c.n_agreeing, c.method
from smartdb.consensus as c
where
    c.media_id in (select p.media_id from page as p)
    and c.label_id in (select p.label_id from page as p)
order by c.label_id;

-- name: versions
-- A page of sealed dataset versions, by name, the newest of each first.
select
    v.dataset, v.version, v.n_items, v.revision, v.query, v.parameters, v.seed, v.digest,
    v.message, v.ontology, v.run_id, v.sealed_at
from smartdb.dataset_version as v
where v.sealed_at is not null
    and (%(dataset)s::text is null or v.dataset = %(dataset)s)
    and (
        %(after)s::text is null or v.dataset > %(after)s
        or (v.dataset = %(after)s and v.version < %(version)s)
    )
order by v.dataset, v.version desc
limit %(limit)s

-- name: runs
-- A page of runs, the newest first.
select
    r.run_id, r.kind, r.status, r.counts, r.seed, r.error, r.code_version, r.dagster_run_id,
    r.started_at, r.finished_at, r.seconds
from smartdb.run as r
where (%(after)s::bigint is null or r.run_id < %(after)s)
    and (%(kind)s::text is null or r.kind = %(kind)s)
    and (%(status)s::text is null or r.status = %(status)s)
order by r.run_id desc
limit %(limit)s

-- name: run
-- One run, with the model that it trained, if it did.
select
    r.run_id, r.kind, r.status, r.counts, r.parameters, r.seed, r.error, r.code_version,
    r.dagster_run_id, r.started_at, r.finished_at, r.seconds,
    t.model, t.dataset, t.version, t.encoder, t.classes, t.test_accuracy
from smartdb.run as r
left join smartdb.training_run as t on t.run_id = r.run_id
where r.run_id = %(run_id)s

-- name: metrics
-- What a run measured: final values first, then epoch by epoch.
select m.name, m.split, m.step, m.value, m.n
from smartdb.metric as m
where m.run_id = %(run_id)s
order by m.step nulls first, m.name, m.split

-- name: class_metrics
-- Precision, recall and F1 of each class in a split.
select c.class, c.n_true, c.n_predicted, c.n_right, c.precision, c.recall, c.f1
from smartdb.class_metric as c
where c.run_id = %(run_id)s and c.split = %(split)s
order by c.class

-- name: confusion
-- How often media of each class were predicted as each class in a split.
select c.class, c.predicted_class, c.n, c.mean_confidence
from smartdb.confusion_matrix as c
where c.run_id = %(run_id)s and c.split = %(split)s
order by c.class, c.predicted_class

-- name: slices
-- The slices of a split on which a run does worse than on the whole, worst first.
select s.facet, s.slice, s.n, s.n_wrong, s.accuracy, s.difference, s.z
from smartdb.worst_slice(%(run_id)s, %(split)s, %(min_n)s) as s
order by s.z, s.facet, s.slice

-- name: errors
-- A page of the wrong predictions of a run, the most confident first.
select
    e.media_id, e.split, e.class, e.predicted_class, e.confidence, e.margin, e.issue_score,
    e.issue_state
from smartdb.error as e
where e.run_id = %(run_id)s
    and (%(split)s::text is null or e.split = %(split)s)
    and (%(class)s::text is null or e.class = %(class)s)
    and (%(predicted_class)s::text is null or e.predicted_class = %(predicted_class)s)
    and (
        %(confidence)s::real is null or e.confidence < %(confidence)s::real
        or (e.confidence = %(confidence)s::real and e.media_id > %(media_id)s)
    )
order by e.confidence desc, e.media_id
limit %(limit)s
