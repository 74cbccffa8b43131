-- name: standing
-- The boxes or masks of the consensus as they are, and whether a reviewer has accepted each.
select
    l.media_id, l.label_id, l.object_id,
    exists (
        select from core.review as r
        where r.label_id = l.label_id and r.verdict = 'accepted' and r.rev_to is null
    ) as is_accepted,
    l.class_id, l.confidence, l.x, l.y, l.w, l.h, l.shape
from core.label as l
join smartdb.ontology_class as k on k.class_id = l.class_id
where
    l.rev_to is null and l.kind = %(kind)s and l.origin = 'consensus' and k.ontology = %(ontology)s
order by l.media_id, l.label_id;

-- name: refused
-- What the consensus drew and a reviewer called wrong.
select l.media_id, l.class_id, l.x, l.y, l.w, l.h, l.shape
from core.label as l
join core.review as r on r.label_id = l.label_id
join smartdb.ontology_class as k on k.class_id = l.class_id
where
    r.rev_to is null and r.verdict <> 'accepted' and l.rev_to is not null and l.kind = %(kind)s
    and l.origin = 'consensus' and k.ontology = %(ontology)s and l.x is not null;

-- name: close
-- Closes labels.
update core.label as l set rev_to = 0
where l.label_id = any (%(label_ids)s::bigint[]) and l.rev_to is null;

-- name: add
-- Writes a box or mask of the consensus.
insert into core.label (
    object_id, media_id, class_id, kind, x, y, w, h, shape, origin, actor_id, confidence, run_id
)
values (
    coalesce(%(object_id)s, nextval('core.label_object')), %(media_id)s, %(class_id)s, %(kind)s,
    %(x)s, %(y)s, %(w)s, %(h)s, %(shape)s, 'consensus', %(actor_id)s, %(confidence)s, %(run_id)s
);
