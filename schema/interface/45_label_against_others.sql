-- Each classification beside what more than half of the others say of the same media.
create view smartdb.label_against_others as
with said as (
    select
        l.label_id, l.media_id, l.actor, l.class, l.class_id,
        array_agg(l.class_id) over (partition by l.media_id) as class_ids
    from smartdb.label as l
    where l.kind = 'classification' and l.origin in ('human', 'import')
)
select
    s.label_id, s.media_id, s.actor, s.class, s.class_id, c.name as others_say, o.class_id as others_class_id,
    cardinality(s.class_ids) - 1 as n_others
from said as s
cross join lateral (
    select u.class_id from unnest(s.class_ids) as u (class_id)
    group by u.class_id
    having (count(*) - (u.class_id = s.class_id)::integer) * 2 > cardinality(s.class_ids) - 1
) as o
join core.class as c on c.class_id = o.class_id;

comment on view smartdb.label_against_others is
    'Each classification by a person or an importer beside what more than half of the others say of the same media; no row where '
    'they do not agree so far.';
comment on column smartdb.label_against_others.label_id is 'The label.';
comment on column smartdb.label_against_others.media_id is 'The media.';
comment on column smartdb.label_against_others.actor is 'Who gave it.';
comment on column smartdb.label_against_others.class is 'The class it was given.';
comment on column smartdb.label_against_others.class_id is 'Identity of that class.';
comment on column smartdb.label_against_others.others_say is 'The class by more than half of the others.';
comment on column smartdb.label_against_others.others_class_id is 'Identity of that class.';
comment on column smartdb.label_against_others.n_others is 'How many others labelled it.';

-- example:
--   select media_id, actor, class, others_say from smartdb.label_against_others
--   where class <> others_say order by actor
-- result:
--   4 | ana | dog | cat
--   4 | folder names | cat | dog
