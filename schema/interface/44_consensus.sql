-- What annotators say together, and how many of them agree with it.
create view smartdb.consensus as
with class as (
    select
        l.media_id, l.label_id, min(l.class_id) as class_id, min(l.class) as class, min(l.confidence) as confidence,
        min(l.actor) as actor, min(l.run_id) as run_id, min(l.created_at) as created_at,
        count(j.label_id) as n_judgements, count(j.label_id) filter (where j.class_id = l.class_id) as n_agreeing
    from smartdb.label_history as l
    join core.class as c on c.class_id = l.class_id
    left join smartdb.judgement as j on j.media_id = l.media_id and j.ontology_id = c.ontology_id
    where l.rev_to is null and l.origin = 'consensus' and l.kind = 'classification'
    group by l.media_id, l.label_id
),
annotator as (
    select h.media_id, h.kind, count(distinct h.actor_id) as n
    from smartdb.label_history as h
    where h.rev_to is null and h.origin in ('human', 'import')
        and h.kind in ('box', 'rotated_box', 'polygon', 'mask', 'polyline', 'keypoints')
    group by h.media_id, h.kind
),
consensus as (
    select
        c.media_id, c.class, 'classification' as kind, c.confidence, c.n_judgements, c.n_agreeing, c.actor,
        c.label_id, c.class_id, c.run_id, c.created_at
    from class as c
    union all
    select
        l.media_id, l.class, l.kind, l.confidence, a.n, round(l.confidence * a.n)::bigint, l.actor,
        l.label_id, l.class_id, l.run_id, l.created_at
    from smartdb.label_history as l
    left join annotator as a on a.media_id = l.media_id and a.kind = l.kind
    where l.rev_to is null and l.origin = 'consensus' and l.kind <> 'classification'
)
select
    s.media_id, s.class, s.confidence, s.n_judgements, s.n_agreeing,
    regexp_replace(s.actor, '^consensus: ', '') as method, s.kind, s.label_id, s.class_id, s.run_id, s.created_at
from consensus as s;

comment on view smartdb.consensus is 'What annotators say together about a media, by which method, and how many of them agree with it.';
comment on column smartdb.consensus.media_id is 'The media.';
comment on column smartdb.consensus.class is 'Name of the class.';
comment on column smartdb.consensus.confidence is
    'How sure the method was when it was written, 0 to 1; of a box or mask the share of the annotators who drew it.';
comment on column smartdb.consensus.n_judgements is 'Annotators who judged the media; of a box or mask, who drew any of its kind there.';
comment on column smartdb.consensus.n_agreeing is 'Those of them who say the same now; of a box or mask, who drew it.';
comment on column smartdb.consensus.method is 'majority, dawid-skene, glad, mace, crowdlab, boxes or masks.';
comment on column smartdb.consensus.kind is 'classification, box or mask.';
comment on column smartdb.consensus.label_id is 'The label, of origin consensus.';
comment on column smartdb.consensus.class_id is 'Identity of the class.';
comment on column smartdb.consensus.run_id is 'The run that wrote it.';
comment on column smartdb.consensus.created_at is 'When.';

-- example:
--   select media_id, class, confidence, n_judgements, n_agreeing, method from smartdb.consensus
-- result:
--   1 | cat | 1 | 2 | 2 | majority
