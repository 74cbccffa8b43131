-- What each annotator said about a media, for itself: one class of an ontology, before any reviewer's word.
create view smartdb.judgement as
with standing as (
    select l.media_id, l.actor_id, k.ontology_id, min(l.class_id) as class_id, min(l.label_id) as label_id, true as is_live
    from core.label as l
    join core.class as k on k.class_id = l.class_id
    where l.kind = 'classification' and l.rev_to is null and l.origin in ('human', 'import')
        and not exists (
            select from core.review as r where r.corrected_label_id = l.label_id and r.rev_to is null
        )
    group by l.media_id, l.actor_id, k.ontology_id having count(*) < 2
),
overruled as (
    select distinct on (l.media_id, l.actor_id, k.ontology_id)
        l.media_id, l.actor_id, k.ontology_id, l.class_id, l.label_id, false as is_live
    from core.review as v
    join core.label as l on l.label_id = v.label_id
    join core.class as k on k.class_id = l.class_id
    where v.verdict <> 'accepted' and v.rev_to is null
        and l.kind = 'classification' and l.rev_to is not null and l.origin in ('human', 'import')
        and not exists (
            select from core.review as r where r.corrected_label_id = l.label_id and r.rev_to is null
        )
        and not exists (
            select from core.label as n
            join core.class as c on c.class_id = n.class_id
            where n.media_id = l.media_id and n.actor_id = l.actor_id and n.rev_to is null
                and n.kind = 'classification' and c.ontology_id = k.ontology_id
        )
    order by l.media_id, l.actor_id, k.ontology_id, l.label_id desc
),
judged as (
    select * from standing
    union all
    select * from overruled
)
select
    j.media_id, a.name as actor, c.name as class, o.name as ontology, l.created_at as said_at, j.is_live,
    j.label_id, j.actor_id, j.class_id, j.ontology_id, l.rev_from
from judged as j
left join core.label as l on l.label_id = j.label_id
left join core.actor as a on a.actor_id = j.actor_id
left join core.class as c on c.class_id = j.class_id
left join core.ontology as o on o.ontology_id = j.ontology_id;

comment on view smartdb.judgement is
    'What each person or importer said about a media by itself, where that is one class of an ontology: what agreement and '
    'consensus are made of. A label that a reviewer corrected or rejected still counts as what its author said; what '
    'the reviewer put in its place is a verdict and does not count.';
comment on column smartdb.judgement.media_id is 'The media.';
comment on column smartdb.judgement.actor is 'Who said it.';
comment on column smartdb.judgement.class is 'Name of the class.';
comment on column smartdb.judgement.ontology is 'Whose class it is; judgements by different ontologies are never compared.';
comment on column smartdb.judgement.said_at is 'When.';
comment on column smartdb.judgement.is_live is 'False where a reviewer has corrected or rejected it.';
comment on column smartdb.judgement.label_id is 'The label.';
comment on column smartdb.judgement.actor_id is 'Identity of the actor.';
comment on column smartdb.judgement.class_id is 'Identity of the class.';
comment on column smartdb.judgement.ontology_id is 'Identity of the ontology.';
comment on column smartdb.judgement.rev_from is 'Revision at which it was said.';

-- example:
--   select media_id, actor, class, is_live from smartdb.judgement where media_id in (4, 5)
--   order by media_id, actor
-- result:
--   4 | ana | dog | True
--   4 | folder names | cat | True
--   5 | folder names | cat | False
