-- name: project
-- A project by name, with its ontology.
select p.project_id, p.ontology_id, p.overlap from core.project as p where p.name = %(project)s;

-- name: kinds
-- The kinds of label that a project asks for.
select p.kinds from core.project as p where p.project_id = %(project_id)s;

-- name: ontologies
-- Ontologies, or the one of a name.
select o.ontology_id, o.name from core.ontology as o
where %(ontology)s::text is null or o.name = %(ontology)s
order by o.ontology_id;

-- name: classes
-- The classes in use of an ontology, parents first.
select c.name, c.kinds, c.skeleton, p.name as parent
from core.class as c left join core.class as p on p.class_id = c.parent_class_id
where c.ontology_id = %(ontology_id)s and c.version_to is null
order by c.class_id;

-- name: items
-- Media with a pending task of a project, a batch or a kind (or all media of a source), most wanted
-- first, with where they lie below their source.
with pending as (
    select distinct on (t.media_id) t.media_id, t.task_id, t.priority
    from core.task as t
    where t.state in ('open', 'claimed')
        and (%(project_id)s::bigint is null or t.project_id = %(project_id)s)
        and (%(batch_id)s::bigint is null or t.batch_id = %(batch_id)s)
        and (%(kind)s::text is null or t.kind = %(kind)s)
    order by t.media_id, t.priority desc, t.task_id
),

wanted as (
    select p.media_id, p.task_id, p.priority from pending as p where %(source)s::text is null
    union all
    select distinct l.media_id, p.task_id, coalesce(p.priority, 0)
    from smartdb.media_location as l left join pending as p on p.media_id = l.media_id
    where l.source = %(source)s
)

select m.media_id, w.task_id, m.uri, m.kind, m.width, m.height, m.frame_index, s.uri as root, s.name as source
from wanted as w
join smartdb.media as m on m.media_id = w.media_id
left join lateral (
    select c.uri, c.name
    from core.media_location as l join core.source as c on c.source_id = l.source_id
    where l.media_id = coalesce(case m.kind when 'frame' then m.parent_media_id end, m.media_id)
    order by l.missing_at is not null, l.is_managed desc, l.source_id limit 1
) as s on true
where m.kind <> 'video'
order by w.priority desc, m.media_id
limit %(n)s;

-- name: labels
-- What is live of some media, in an ontology; what is known to be true is not given away.
select
    l.media_id, l.label_id, l.object_id, c.name, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes, l.track_id,
    l.confidence, l.origin
from core.label as l join core.class as c on c.class_id = l.class_id
where l.media_id = any (%(media_ids)s::bigint[]) and l.rev_to is null and l.kind <> 'relation'
    and c.ontology_id = %(ontology_id)s and l.origin = any (%(origins)s::text[])
    and not exists (select from core.gold as g where g.label_id = l.label_id and g.rev_to is null)
order by l.media_id, l.object_id;

-- name: prefills
-- What annotators shall start from, of tasks.
select t.task_id, t.prefill from core.task as t
where t.task_id = any (%(task_ids)s::bigint[]) and t.prefill is not null;

-- name: open
-- Opens an exchange.
insert into core.exchange (editor, project_id, ontology_id, parameters, run_id)
values (%(editor)s, %(project_id)s, %(ontology_id)s, %(parameters)s, %(run_id)s)
returning exchange_id;

-- name: stage
-- Temporary tables for what goes out; what is protected takes no copy.
drop table if exists pg_temp.out_item;
drop table if exists pg_temp.out_object;
create temp table out_item (media_id bigint, task_id bigint, name text, frame_index integer);
create temp table out_object (media_id bigint, region text, object_id bigint, label_id bigint);

-- name: keep_items
-- Keeps which media went out.
insert into core.exchange_item (exchange_id, media_id, task_id, name, frame_index)
select %(exchange_id)s, o.media_id, o.task_id, o.name, o.frame_index from pg_temp.out_item as o;

-- name: keep_objects
-- Keeps in which state things went out.
insert into core.exchange_object (exchange_id, media_id, answer, region, object_id, label_id)
select %(exchange_id)s, o.media_id, '', o.region, o.object_id, o.label_id from pg_temp.out_object as o;

-- name: find
-- An exchange, with its ontology and the names of people.
select e.exchange_id, e.editor, o.name, e.parameters -> 'people', e.project_id
from core.exchange as e join core.ontology as o on o.ontology_id = e.ontology_id
where e.exchange_id = %(exchange_id)s;

-- name: named
-- The media of an exchange by the names that the editor has for them.
select i.name, i.frame_index, i.media_id, m.width, m.height
from core.exchange_item as i join smartdb.media as m on m.media_id = i.media_id
where i.exchange_id = %(exchange_id)s;

-- name: sized
-- Which media of an exchange may be seen, and their sizes.
select i.media_id, m.width, m.height
from core.exchange_item as i join smartdb.media as m on m.media_id = i.media_id
where i.exchange_id = %(exchange_id)s and i.media_id = any (%(media_ids)s::bigint[]);

-- name: known
-- Things of some media that both sides know: agreed state, live state, and what the editor said last.
select
    o.media_id, o.answer, o.region, o.object_id, o.label_id, b.label as base, o.said,
    o.said is not null as has_said, n.label_id as now_id, n.label as now, n.origin, coalesce(n.is_reviewed, false),
    n.created_at
from core.exchange_object as o
left join lateral (
    select smartdb.label_object(o.label_id) as label where o.label_id is not null
) as b on true
left join lateral (
    select
        l.label_id, l.origin, l.created_at, smartdb.label_object(l.label_id) as label,
        exists (select from core.review as r where r.label_id = l.label_id and r.rev_to is null and r.verdict = 'accepted')
        or exists (select from core.review as r where r.corrected_label_id = l.label_id and r.rev_to is null) as is_reviewed
    from core.label as l
    where l.object_id = o.object_id and l.rev_to is null
) as n on true
where o.exchange_id = %(exchange_id)s and o.media_id = any (%(media_ids)s::bigint[])
order by o.media_id, o.answer = '', o.object_id;

-- name: answers
-- Answers about some media that were taken in before.
select a.media_id, a.answer, a.digest, a.said_at from core.exchange_answer as a
where a.exchange_id = %(exchange_id)s and a.media_id = any (%(media_ids)s::bigint[]);

-- name: answered_by
-- Where an annotation of the editor was taken in.
select a.exchange_id, a.media_id, p.name
from core.exchange_answer as a join core.actor as p on p.actor_id = a.actor_id
where a.answer = %(answer)s;

-- name: answer
-- Keeps that an answer was taken in, and in which state.
insert into core.exchange_answer (exchange_id, media_id, answer, actor_id, said_at, digest)
values (%(exchange_id)s, %(media_id)s, %(answer)s, smartdb.person_id(%(actor)s), %(said_at)s, %(digest)s)
on conflict (exchange_id, media_id, answer) do update
set actor_id = excluded.actor_id, said_at = excluded.said_at, digest = excluded.digest;

-- name: objects
-- The things of label rows, in the order given.
select a.label_id, l.object_id
from unnest(%(label_ids)s::bigint[]) with ordinality as a (label_id, place)
join core.label as l on l.label_id = a.label_id
order by a.place;

-- name: says
-- Whether a person says a class of a media.
select 1
from smartdb.label as l
where l.media_id = %(media_id)s and l.actor = %(actor)s and l.class = %(class_name)s and l.kind = 'classification';

-- name: know
-- Keeps that both sides know a thing, and in which state they agreed.
insert into core.exchange_object (exchange_id, media_id, answer, region, object_id, label_id)
values (%(exchange_id)s, %(media_id)s, %(answer)s, %(region)s, %(object_id)s, %(label_id)s)
on conflict (exchange_id, media_id, answer, region) do update
set object_id = excluded.object_id, label_id = excluded.label_id, said = null;

-- name: agree
-- Keeps the state in which both sides agree about a thing now.
update core.exchange_object as o
set label_id = %(label_id)s, said = null
where o.exchange_id = %(exchange_id)s and o.media_id = %(media_id)s and o.answer = %(answer)s and o.region = %(region)s;

-- name: dispute
-- Keeps a conflict, once for each thing and annotation, and what the editor said.
with kept as (
    insert into core.exchange_conflict (
        exchange_id, media_id, answer, region, object_id, base_label_id, theirs, actor_id, said_at
    )
    values (
        %(exchange_id)s, %(media_id)s, %(answer)s, %(region)s, %(object_id)s, %(label_id)s, %(theirs)s,
        smartdb.person_id(%(actor)s), %(said_at)s
    )
    on conflict (exchange_id, object_id, answer) where state = 'open' do update
    set theirs = excluded.theirs, actor_id = excluded.actor_id, said_at = excluded.said_at
    returning exchange_conflict_id
),

noted as (
    update core.exchange_object as o set said = coalesce(%(theirs)s, 'null'::jsonb)
    where o.exchange_id = %(exchange_id)s and o.media_id = %(media_id)s and o.answer = %(known_answer)s
        and o.region = %(region)s
)

select k.exchange_conflict_id from kept as k;

-- name: resolve
-- Decides a conflict.
select smartdb.resolve_conflict(%(conflict_id)s, %(choice)s, %(actor)s, %(reason)s);

-- name: conflicts
-- Conflicts of an exchange (all), those in a state, the oldest first.
select
    c.exchange_conflict_id, c.exchange_id, c.media_id, c.object_id, c.base, c.ours, c.theirs, c.ours_actor, c.theirs_actor,
    c.theirs_at, c.state
from smartdb.exchange_conflict as c
where (%(exchange_id)s::bigint is null or c.exchange_id = %(exchange_id)s)
    and (%(state)s::text is null or c.state = %(state)s)
order by c.exchange_conflict_id
limit %(n)s;

-- name: refusals
-- What was refused, of an exchange or of all, the oldest first.
select r.exchange_refusal_id, r.exchange_id, r.media_id, r.place, r.reason, r.detail, r.content
from smartdb.exchange_refusal as r
where %(exchange_id)s::bigint is null or r.exchange_id = %(exchange_id)s
order by r.exchange_refusal_id
limit %(n)s;

-- name: refuse
-- Keeps what could not be taken in, once.
insert into core.exchange_refusal (exchange_id, media_id, place, reason, detail, content)
values (%(exchange_id)s, %(media_id)s, %(place)s, %(reason)s, %(detail)s, %(content)s)
on conflict on constraint exchange_refusal_key do nothing;

-- name: end_task
-- Ends the task that an answer is about: the one that went out, else another of the project's.
update core.task as t
set state = %(state)s, assignee_id = smartdb.person_id(%(actor)s), lease_until = null, done_at = clock_timestamp()
where t.task_id = (
    select k.task_id
    from core.exchange_item as i
    join core.task as o on o.task_id = i.task_id
    join core.task as k
        on k.media_id = o.media_id and k.kind = o.kind and k.project_id is not distinct from o.project_id
        and k.label_id is not distinct from o.label_id
    where i.exchange_id = %(exchange_id)s and i.media_id = %(media_id)s and k.state in ('open', 'claimed')
        and not exists (
            select from core.task as d
            where d.project_id = k.project_id and d.media_id = k.media_id and d.kind = 'label'
                and d.task_id <> k.task_id and d.assignee_id = smartdb.person_id(%(actor)s)
        )
    order by k.task_id <> i.task_id, k.slot, k.task_id limit 1
)
returning t.task_id;

-- name: exchanges
-- What was exchanged: each with how many media, answers, open conflicts and refusals it has.
select
    e.exchange_id, e.editor, e.project, e.n_media, e.n_answered, e.n_conflicts, e.n_refused, e.created_at
from smartdb.exchange as e
order by e.exchange_id;

-- name: deliver
-- Keeps that a message came; no row if it came before.
insert into core.exchange_delivery (digest) values (%(digest)s) on conflict do nothing returning 1;

-- name: places
-- Which media may be seen, and their sizes.
select m.media_id, m.width, m.height from smartdb.media as m where m.media_id = any (%(media_ids)s::bigint[]);

-- name: suggested
-- What annotators shall start from, and what models say of some media.
select p.media_id, p.label
from (
    select t.media_id, 0 as place, t.task_id as id, f.label
    from core.task as t cross join lateral jsonb_array_elements(t.prefill) as f (label)
    where t.media_id = any (%(media_ids)s::bigint[]) and t.state in ('open', 'claimed')
        and jsonb_typeof(t.prefill) = 'array'
    union all
    select
        l.media_id, 1, l.object_id, jsonb_strip_nulls(jsonb_build_object(
            'class', l.class, 'kind', l.kind, 'x', l.x, 'y', l.y, 'w', l.w, 'h', l.h, 'shape', l.shape,
            'attributes', l.attributes, 'confidence', l.confidence::numeric))
    from smartdb.label as l
    where l.media_id = any (%(media_ids)s::bigint[]) and l.origin in ('model', 'propagated') and l.kind <> 'relation'
) as p
order by p.media_id, p.place, p.id;

-- name: predicting
-- The newest runs that predicted.
select e.run_id from smartdb.evaluation as e order by e.run_id desc limit %(n)s;

-- name: has_predicted
-- Whether a run predicted.
select 1 from smartdb.evaluation as e where e.run_id = %(run_id)s;

-- name: predicted
-- What a run predicted of some media.
select p.media_id, jsonb_build_object('class', p.predicted_class, 'confidence', least(p.confidence, 1)::numeric)
from smartdb.prediction as p
where p.run_id = %(run_id)s and p.media_id = any (%(media_ids)s::bigint[])
order by p.media_id;
