-- name: gold
-- The classes that are known to be true.
select g.media_id, g.class_id
from smartdb.gold as g
join core.class as c using (class_id)
where g.kind = 'classification' and c.ontology_id = %(ontology_id)s
order by g.media_id, g.class_id;

-- name: gold_boxes
-- The boxes that are known to be true.
select g.media_id, g.class_id, g.x, g.y, g.w, g.h
from smartdb.gold as g
join core.class as c using (class_id)
where g.kind = 'box' and c.ontology_id = %(ontology_id)s
order by g.media_id, g.label_id;

-- name: drop_staged
-- Forgets what was staged.
drop table if exists
    pg_temp.auto_proposal, pg_temp.auto_scope, pg_temp.auto_wanted, pg_temp.auto_live, pg_temp.auto_gone,
    pg_temp.auto_come, pg_temp.auto_prefill;

-- name: stage
-- Makes the tables of what a method proposes, and of the media that it is asked about.
create temp table auto_proposal (
    media_id bigint not null, class_id bigint not null, confidence real not null, is_sure boolean not null,
    x double precision, y double precision, w double precision, h double precision
);
create temp table auto_scope (media_id bigint not null);

-- name: analyze
-- Tells the planner how much there is.
analyze auto_proposal, auto_scope;

-- name: drop_judged
-- Forgets proposals that a reviewer has rejected or corrected before, and those of hidden media.
delete from auto_proposal as p
where not exists (select from core.media as m where m.media_id = p.media_id)
    or exists (
        select from core.label as l
        join core.review as r on r.label_id = l.label_id and r.verdict <> 'accepted' and r.rev_to is null
        where l.media_id = p.media_id and l.class_id = p.class_id and l.kind = %(kind)s
            and l.actor_id = %(actor_id)s
            and (l.x, l.y, l.w, l.h) is not distinct from (p.x, p.y, p.w, p.h)
    );

-- name: find_wanted
-- What shall be labels: sure, and of media of which no person, import or consensus says anything.
create temp table auto_wanted as
select distinct on (p.media_id, p.class_id, p.x, p.y, p.w, p.h)
    p.media_id, p.class_id, p.x, p.y, p.w, p.h, p.confidence
from auto_proposal as p
where p.is_sure and not exists (
    select from core.label as l
    join core.class as c on c.class_id = l.class_id
    where l.media_id = p.media_id and l.kind = %(kind)s and l.rev_to is null
        and l.origin in ('consensus', 'human', 'import') and c.ontology_id = %(ontology_id)s
)
order by p.media_id, p.class_id, p.x, p.y, p.w, p.h, p.confidence desc;

-- name: find_live
-- What the method says already, of the media it is asked about, with what became of it.
create temp table auto_live as
select
    l.label_id, l.object_id, l.media_id, l.class_id, l.x, l.y, l.w, l.h, l.confidence,
    exists (
        select from core.review as r
        where r.label_id = l.label_id and r.verdict = 'accepted' and r.rev_to is null
    ) as is_accepted,
    exists (
        select from core.label as h
        join core.class as k on k.class_id = h.class_id
        where h.media_id = l.media_id and h.kind = l.kind and h.rev_to is null
            and h.origin in ('consensus', 'human', 'import') and k.ontology_id = %(ontology_id)s
    ) as is_shadowed
from core.label as l
join core.class as c on c.class_id = l.class_id
where l.actor_id = %(actor_id)s and l.kind = %(kind)s and l.rev_to is null and l.origin = 'model'
    and c.ontology_id = %(ontology_id)s
    and l.run_id = any (array(
        select t.run_id from core.auto_label_threshold as t where t.actor_id = %(actor_id)s
    ))
    and (%(everything)s or l.media_id in (select s.media_id from auto_scope as s));

-- name: find_gone
-- What the method says no longer; what a reviewer accepted stays, unless somebody said more since.
create temp table auto_gone as
select v.label_id, v.object_id, v.media_id, v.class_id, v.x, v.y, v.w, v.h
from auto_live as v
where v.is_shadowed or not v.is_accepted and not exists (
    select from auto_wanted as w
    where w.media_id = v.media_id and w.class_id = v.class_id and w.confidence = v.confidence
        and (w.x, w.y, w.w, w.h) is not distinct from (v.x, v.y, v.w, v.h)
);

-- name: find_come
-- What the method did not say yet, or with another confidence.
create temp table auto_come as
select w.*
from auto_wanted as w
where not exists (
    select from auto_live as v
    where v.media_id = w.media_id and (
        (
            v.class_id = w.class_id and (v.confidence = w.confidence or v.is_accepted)
            and (w.x, w.y, w.w, w.h) is not distinct from (v.x, v.y, v.w, v.h)
        )
        or (v.is_accepted and %(kind)s = 'classification')
    )
);

-- name: find_prefill
-- What annotators may start from, by media; is_done where all of it becomes labels, is_said where
-- somebody has said something.
create temp table auto_prefill as
select
    p.media_id,
    jsonb_agg(
        jsonb_strip_nulls(jsonb_build_object(
            'class', c.name, 'kind', %(kind)s::text, 'x', p.x, 'y', p.y, 'w', p.w, 'h', p.h, 'confidence', p.confidence
        ))
        order by p.confidence desc, p.class_id, p.x, p.y
    ) as labels,
    max(p.confidence) as sure, bool_and(p.is_sure) as is_done,
    exists (
        select from core.label as l
        join core.class as k on k.class_id = l.class_id
        where l.media_id = p.media_id and l.kind = %(kind)s and l.rev_to is null
            and l.origin in ('consensus', 'human', 'import') and k.ontology_id = %(ontology_id)s
    ) as is_said
from auto_proposal as p
join core.class as c on c.class_id = p.class_id
where p.confidence >= %(prefill_from)s::real
group by p.media_id;

-- name: counts
-- How much is to change: labels that go and come, those that stay, and tasks to fill or to open.
select
    (select count(*) from auto_gone) as closed,
    (select count(*) from auto_come) as added,
    (select count(*) from auto_live) - (select count(*) from auto_gone) as kept,
    (
        select count(*) from core.task as t
        join auto_prefill as p on p.media_id = t.media_id
        left join core.project as j on j.project_id = t.project_id
        where t.kind = 'label' and t.state = 'open'
            and (t.project_id is null or (j.ontology_id = %(ontology_id)s and %(kind)s = any (j.kinds)))
            and (t.prefill is null or p.sure > (t.prefill -> 0 ->> 'confidence')::real)
    ) as filled,
    (
        select count(*) from auto_prefill as p
        where not p.is_done and not p.is_said and not exists (
            select from core.task as t
            where t.media_id = p.media_id and t.kind = 'label' and t.state in ('open', 'claimed', 'skipped')
        )
    ) as opened;

-- name: last_thresholds
-- What gold told when the method ran last.
select
    t.class_id, t.precision_wanted as precision, t.level, t.bound, t.confidence, t.n_gold, t.n_above, t.n_correct, t.precision_low,
    t.reason
from core.auto_label_threshold as t
where t.run_id = (
    select max(s.run_id) from core.auto_label_threshold as s
    join core.run as r on r.run_id = s.run_id and r.status = 'succeeded'
    where s.actor_id = %(actor_id)s and s.ontology_id = %(ontology_id)s and s.kind = %(kind)s
)
order by t.class_id nulls first;

-- name: add_threshold
-- Writes down what gold told.
insert into core.auto_label_threshold (
    run_id, class_id, actor_id, ontology_id, kind, precision_wanted, level, bound, confidence, n_gold, n_above,
    n_correct, precision_low, reason
) values (
    %(run_id)s, %(class_id)s, %(actor_id)s, %(ontology_id)s, %(kind)s, %(precision)s, %(level)s, %(bound)s,
    %(confidence)s, %(n_gold)s, %(n_above)s, %(n_correct)s, %(precision_low)s, %(reason)s
);

-- name: close
-- Closes what the method says no longer.
update core.label as l set rev_to = 0
from auto_gone as g
where l.label_id = g.label_id and l.rev_to is null;

-- name: add
-- Writes what it says now, unless somebody has said something meanwhile. Another class or confidence
-- of a whole picture, or another confidence of a box, is a new state of the same object.
insert into core.label (
    object_id, media_id, class_id, kind, x, y, w, h, origin, actor_id, confidence, run_id
)
select
    coalesce(g.object_id, nextval('core.label_object')), c.media_id, c.class_id, %(kind)s, c.x, c.y, c.w, c.h,
    'model', %(actor_id)s, c.confidence, %(run_id)s
from auto_come as c
left join auto_gone as g
    on g.media_id = c.media_id and (%(kind)s = 'classification' or (
        g.class_id = c.class_id and (g.x, g.y, g.w, g.h) is not distinct from (c.x, c.y, c.w, c.h)
    ))
where not exists (
    select from core.label as l
    join core.class as k on k.class_id = l.class_id
    where l.media_id = c.media_id and l.kind = %(kind)s and l.rev_to is null
        and l.origin in ('consensus', 'human', 'import') and k.ontology_id = %(ontology_id)s
)
order by c.media_id, c.class_id;

-- name: fill
-- Gives open label tasks what an annotator may start from, where it is surer than what they have;
-- those of media with a class too, so that what is asked to test annotators looks like the rest.
update core.task as t
set prefill = p.labels
from auto_prefill as p
where t.media_id = p.media_id and t.kind = 'label' and t.state = 'open'
    and (
        t.project_id is null or exists (
            select from core.project as j
            where j.project_id = t.project_id and j.ontology_id = %(ontology_id)s and %(kind)s = any (j.kinds)
        )
    )
    and (t.prefill is null or p.sure > (t.prefill -> 0 ->> 'confidence')::real);

-- name: open
-- Opens label tasks for media without a task of which the method is not sure enough; what it is
-- least sure of comes first.
insert into core.task (kind, media_id, prefill, priority)
select 'label', p.media_id, p.labels, 1 - p.sure
from auto_prefill as p
where not p.is_done and not p.is_said and not exists (
    select from core.task as t
    where t.media_id = p.media_id and t.kind = 'label' and t.state in ('open', 'claimed', 'skipped')
)
order by p.sure, p.media_id
on conflict (kind, media_id, coalesce(label_id, 0), coalesce(project_id, 0), slot) where state in ('open', 'claimed')
do nothing;

-- name: list
-- Labels written by methods, by method, class and kind.
select
    a.method, a.kind, a.class, count(*) as n, count(*) filter (where a.is_shadowed) as n_shadowed,
    min(a.confidence)::double precision as least, avg(a.confidence)::double precision as mean
from smartdb.auto_label as a
group by a.method, a.kind, a.class
order by a.method, a.kind, a.class;

-- name: thresholds
-- The newest thresholds of each method.
select
    t.method, t.ontology, t.kind, t.class, t.confidence, t.precision_wanted, t.precision_low,
    t.n_gold, t.n_above, t.n_correct, t.reason, t.run_id
from smartdb.auto_label_threshold as t
where t.is_current
order by t.method, t.ontology, t.kind, t.class nulls first;

-- name: voters
-- The class of each media that counts as one of an ontology.
select k.media_id, k.class_id
from smartdb.media_class as k
join smartdb.ontology_class as c on c.class_id = k.class_id
where c.ontology = %(ontology)s
order by k.media_id;

-- name: predictions
-- What a run predicted, and whether its model was fitted or tuned on the media (never out of fold).
select
    p.media_id, p.class_id, p.confidence,
    e.model_id is not null and coalesce(p.split in ('train', 'val'), false) as is_seen
from core.prediction as p
join core.evaluation as e on e.run_id = p.run_id
where p.run_id = %(run_id)s
order by p.media_id;

-- name: run_model
-- Name of the model of a run that predicted, and the ontology of its classes.
select coalesce(m.name, 'out of fold'), o.name
from core.evaluation as e
left join core.model as m on m.model_id = e.model_id
join core.class as c on c.class_id = e.class_ids[1]
join core.ontology as o on o.ontology_id = c.ontology_id
where e.run_id = %(run_id)s;
