-- name: locations
-- Every file of a source and the media it holds.
select l.media_id, l.uri from core.media_location as l
where l.source_id = %(source_id)s and not l.is_managed;

-- name: actor
-- The importer or model of this name, entered the first time; its kind is what it was entered as.
with entered as (
    insert into core.actor (name, kind)
    select %(actor)s, %(kind)s
    where not exists (select from core.actor as a where a.name = %(actor)s)
    on conflict on constraint actor_name_key do nothing
    returning actor_id, kind
)
select actor_id, kind from entered
union all
select a.actor_id, a.kind from core.actor as a where a.name = %(actor)s;

-- name: person
-- The person of this name, entered the first time.
select smartdb.person_id(%(actor)s), 'person';

-- name: stage_rows
-- Makes the table of what a file says: class by URI.
drop table if exists pg_temp.label_row;
create temp table label_row (uri text, class text) on commit drop;

-- name: stage
-- Makes the tables of what is said: class by media, and what that replaces.
drop table if exists pg_temp.label_said, pg_temp.label_replaced;
create temp table label_said (media_id bigint, class_id bigint) on commit drop;
create temp table label_replaced (media_id bigint, object_id bigint) on commit drop;

-- name: unknown_uris
-- What the file names that is no media, in order.
select distinct r.uri from pg_temp.label_row as r
where not exists (select from core.media_location as l where l.uri = r.uri)
order by r.uri;

-- name: match_rows
-- The media and class of each row of the file.
select distinct l.media_id, c.class_id
from pg_temp.label_row as r
join core.media_location as l on l.uri = r.uri
join unnest(%(classes)s::text[], %(class_ids)s::bigint[]) as c (class, class_id)
    on c.class = r.class
order by l.media_id, c.class_id;

-- name: unknown_media
-- What is said about media that are not there (or hidden).
select distinct s.media_id from pg_temp.label_said as s
where not exists (select from core.media as m where m.media_id = s.media_id)
order by s.media_id;

-- name: analyze
-- Tells the planner how much is said.
analyze label_said;

-- name: replace
-- Closes the actor's other labels of these media; what is said instead keeps their object.
with gone as (
    update core.label as l
    set rev_to = 0
    where
        l.actor_id = %(actor_id)s and l.kind = 'classification' and l.rev_to is null
        and l.media_id in (select s.media_id from pg_temp.label_said as s)
        and not exists (
            select from pg_temp.label_said as s
            where s.media_id = l.media_id and s.class_id = l.class_id
        )
    returning l.media_id, l.object_id
)
insert into label_replaced (media_id, object_id)
select gone.media_id, min(gone.object_id) from gone group by gone.media_id;

-- name: add
-- Adds what the actor does not say yet, save what a reviewer has judged wrong (if asked so).
insert into core.label (object_id, media_id, class_id, origin, actor_id, run_id)
select
    coalesce(
        case
            when row_number() over (partition by s.media_id order by s.class_id) = 1
                then r.object_id
        end,
        nextval('core.label_object')
    ),
    s.media_id, s.class_id, %(origin)s, %(actor_id)s, %(run_id)s
from pg_temp.label_said as s
left join pg_temp.label_replaced as r on r.media_id = s.media_id
where
    not exists (
        select from core.label as l
        where
            l.media_id = s.media_id and l.class_id = s.class_id and l.actor_id = %(actor_id)s
            and l.kind = 'classification' and l.rev_to is null
    )
    and not (
        %(heed)s and exists (
            select from core.label as l
            join core.review as v
                on v.label_id = l.label_id and v.verdict <> 'accepted' and v.rev_to is null
            where
                l.media_id = s.media_id and l.class_id = s.class_id
                and l.actor_id = %(actor_id)s and l.kind = 'classification'
        )
    )
order by s.media_id, s.class_id;

-- name: said
-- How much was said, how much of it stands, and of how many media something else was said.
select
    count(*) as n_said,
    count(l.label_id) as n_live,
    (select count(*) from pg_temp.label_replaced) as n_replaced
from pg_temp.label_said as s
left join core.label as l
    on l.media_id = s.media_id and l.class_id = s.class_id and l.actor_id = %(actor_id)s
    and l.kind = 'classification' and l.rev_to is null;

-- name: conflicting
-- Of how many of these media the actor says several classes.
select count(*) from (
    select l.media_id
    from core.label as l
    where
        l.actor_id = %(actor_id)s and l.kind = 'classification' and l.rev_to is null
        and l.media_id in (select s.media_id from pg_temp.label_said as s)
    group by l.media_id
    having count(distinct l.class_id) > 1
) as torn;
