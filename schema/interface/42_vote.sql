-- How many annotators gave each class to a media.
create view smartdb.vote as
with counted as (
    select j.media_id, j.ontology_id, j.class_id, count(*) as n
    from smartdb.judgement as j
    group by j.media_id, j.ontology_id, j.class_id
)
select
    v.media_id, c.name as class, v.n, (sum(v.n) over media)::bigint as n_judgements, o.name as ontology,
    v.class_id, v.ontology_id
from counted as v
left join core.class as c on c.class_id = v.class_id
left join core.ontology as o on o.ontology_id = v.ontology_id
window media as (partition by v.media_id, v.ontology_id);

comment on view smartdb.vote is 'How many annotators gave each class to a media, and how many judged it at all.';
comment on column smartdb.vote.media_id is 'The media.';
comment on column smartdb.vote.class is 'Name of the class.';
comment on column smartdb.vote.n is 'Annotators who said it.';
comment on column smartdb.vote.n_judgements is 'Annotators who said any class of the ontology.';
comment on column smartdb.vote.ontology is 'Whose class it is.';
comment on column smartdb.vote.class_id is 'Identity of the class.';
comment on column smartdb.vote.ontology_id is 'Identity of the ontology.';

-- example:
--   select media_id, class, n, n_judgements from smartdb.vote where media_id in (3, 4)
--   order by media_id, class
-- result:
--   3 | cat | 2 | 2
--   4 | cat | 1 | 2
--   4 | dog | 1 | 2
