-- name: boxes
-- The boxes of what is judged, or of who it is held against: live labels with a size, by label_id.
select
    l.label_id, l.media_id, l.class_id, l.actor_id, l.x, l.y, l.w, l.h,
    coalesce(l.confidence, 1)::double precision as confidence,
    l.kind in ('polygon', 'mask') as has_outline,
    exists (
        select from core.review as r
        where
            r.rev_to is null
            and (r.corrected_label_id = l.label_id or (r.label_id = l.label_id and r.verdict = 'accepted'))
    ) as is_settled
from core.label as l
join core.class as k using (class_id)
join core.ontology as o using (ontology_id)
join core.actor as a using (actor_id)
where
    l.rev_to is null and l.w > 0 and l.h > 0 and o.name = %(ontology)s
    and case
        when %(actor)s::text is not null then a.name = %(actor)s
        else l.origin in ('human', 'import', 'consensus') and a.name is distinct from %(against)s
    end
order by l.label_id;

-- name: predicted
-- The boxes that a run predicted, in an ontology, by their id.
select
    p.predicted_label_id as label_id, p.media_id, p.class_id, 0::bigint as actor_id, p.x, p.y, p.w, p.h,
    p.confidence::double precision as confidence, false as has_outline, false as is_settled
from core.predicted_label as p
join core.class as k using (class_id)
join core.ontology as o using (ontology_id)
where p.run_id = %(predictions)s and p.kind = 'box' and o.name = %(ontology)s
order by p.predicted_label_id;

-- name: ontologies
-- The ontologies of live labels with a size.
select o.name
from core.ontology as o
where exists (
    select from core.label as l join core.class as k using (class_id)
    where k.ontology_id = o.ontology_id and l.rev_to is null and l.w > 0
)
order by o.name;

-- name: actor
-- Whether there is such an actor.
select a.actor_id from smartdb.actor as a where a.name = %(actor)s;

-- name: outlines
-- Kind, box and shape of labels, and the size of their media.
select l.label_id, l.kind, l.x, l.y, l.w, l.h, l.shape, m.width, m.height
from core.label as l
join core.media as m using (media_id)
where l.label_id = any (%(label_ids)s);

-- name: stage
-- Makes the tables of what was examined, and of what is suspected.
drop table if exists pg_temp.examined_box, pg_temp.suspect_box, pg_temp.wanted_issue;
create temp table examined_box (label_id bigint, media_id bigint) on commit drop;
create temp table suspect_box (
    kind text, media_id bigint, label_id bigint, by_label_id bigint, by_predicted_id bigint,
    score real
) on commit drop;

-- name: suspect_impossible
-- Suspects boxes that leave the picture by more than a pixel, or are less than one wide or high.
insert into pg_temp.suspect_box (kind, media_id, label_id, score)
select
    'impossible_geometry', l.media_id, l.label_id,
    case
        when l.w < 1 or l.h < 1 then 1
        else 1
        - greatest(0, least(l.x + l.w, m.width) - greatest(l.x, 0))
        * greatest(0, least(l.y + l.h, m.height) - greatest(l.y, 0)) / (l.w * l.h)
    end
from pg_temp.examined_box as e
join core.label as l using (label_id)
join core.media as m on m.media_id = l.media_id
where
    l.rev_to is null
    and (
        l.w < 1 or l.h < 1 or l.x < -1 or l.y < -1
        or l.x + l.w > m.width + 1 or l.y + l.h > m.height + 1
    );

-- name: suggest
-- The suspicions with what the other says instead; those about labels that were closed meanwhile are left out.
create temp table wanted_issue on commit drop as
select
    s.kind, s.media_id, s.label_id, s.score,
    case when s.kind in ('swapped', 'overlooked') then c.class_id end as suggested_class_id,
    case when s.kind = 'duplicate' then jsonb_build_object('label_id', s.by_label_id) end as detail,
    case
        when s.kind <> 'duplicate' and c.class_id is not null then jsonb_strip_nulls(jsonb_build_object(
            'class', c.name, 'kind', coalesce(b.kind, p.kind), 'x', coalesce(b.x, p.x),
            'y', coalesce(b.y, p.y), 'w', coalesce(b.w, p.w), 'h', coalesce(b.h, p.h),
            'shape', b.shape, 'confidence', coalesce(b.confidence, p.confidence)
        ))
    end as suggestion
from pg_temp.suspect_box as s
left join core.label as b on b.label_id = s.by_label_id
left join core.predicted_label as p on p.predicted_label_id = s.by_predicted_id
left join core.class as c on c.class_id = coalesce(b.class_id, p.class_id)
where
    s.label_id is null
    or exists (select from core.label as l where l.label_id = s.label_id and l.rev_to is null);

-- name: add
-- Writes the suspicions about labels, unless a reviewer has decided; open ones take the new score.
insert into core.label_issue as i (
    media_id, label_id, kind, score, suggested_class_id, suggestion, detail, run_id
)
select
    w.media_id, w.label_id, w.kind, w.score, w.suggested_class_id, w.suggestion, w.detail, %(run_id)s
from pg_temp.wanted_issue as w
where w.label_id is not null
order by w.score desc, w.label_id
on conflict (label_id, kind) do update set
    score = excluded.score, suggested_class_id = excluded.suggested_class_id,
    suggestion = excluded.suggestion, detail = excluded.detail, run_id = excluded.run_id
where i.state = 'open'
returning i.kind, i.xmax = 0 as is_new;

-- name: add_overlooked
-- Writes where a label is missing, unless somebody has decided about that place.
insert into core.label_issue as i (
    media_id, kind, score, suggested_class_id, suggestion, run_id
)
select w.media_id, w.kind, w.score, w.suggested_class_id, w.suggestion, %(run_id)s
from pg_temp.wanted_issue as w
where
    w.label_id is null
    and not exists (
        select from smartdb.box_issue as d
        where
            d.media_id = w.media_id and d.label_id is null and d.state <> 'open'
            and smartdb.box_iou(
                d.suggested_x, d.suggested_y, d.suggested_w, d.suggested_h,
                (w.suggestion ->> 'x')::double precision, (w.suggestion ->> 'y')::double precision,
                (w.suggestion ->> 'w')::double precision, (w.suggestion ->> 'h')::double precision
            ) >= 0.5
    )
order by w.score desc, w.media_id
on conflict (media_id, suggestion) where label_id is null do update set
    score = excluded.score, run_id = excluded.run_id
where i.state = 'open'
returning i.kind, i.xmax = 0 as is_new;

-- name: drop_stale
-- Drops open suspicions about what was examined again and is no longer suspected, or was closed.
delete from core.label_issue as i
where
    i.state = 'open' and i.kind = any (%(kinds)s) and i.run_id <> %(run_id)s
    and case
        when i.label_id is null
            then exists (select from pg_temp.examined_box as e where e.media_id = i.media_id)
        else exists (select from pg_temp.examined_box as e where e.label_id = i.label_id)
            or exists (select from core.label as l where l.label_id = i.label_id and l.rev_to is not null)
    end
    and exists (
        select from core.run as r where r.run_id = i.run_id and r.kind = 'box_issues'
    )
returning i.label_id;

-- name: sheet
-- The most suspicious boxes (of a kind): media, a caption, the box said and the box suggested.
select
    i.media_id, concat_ws(' ', i.kind, i.class, '?' || i.suggested_class, round(i.score::numeric, 2)) as caption,
    case when i.w is not null then array[i.x, i.y, i.w, i.h] end as said,
    case
        when i.suggested_w is not null
            then array[i.suggested_x, i.suggested_y, i.suggested_w, i.suggested_h]
    end as suggested
from smartdb.box_issue as i
where i.state = 'open' and i.is_live and (%(kind)s::text is null or i.kind = %(kind)s)
order by i.score desc, i.issue_id
limit %(n)s;
