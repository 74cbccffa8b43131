-- name: stage
-- Makes the tables that a file is copied into; they last until `unstage`.
create temp table import_picture (
    place bigint, name text, frame_index integer, said_at text, width integer, height integer,
    uri text, tail text, n_parts integer, sha256 bytea, problem text, media_id bigint,
    real_width integer, real_height integer, attributes jsonb
);
create temp table import_label (
    place bigint, picture text, frame_index integer, class integer, kind text,
    x double precision, y double precision, w double precision, h double precision, shape jsonb,
    attributes jsonb, track text, confidence double precision, said_at text, key text
);
create temp table import_class (class integer, given text, class_id bigint, is_wanted boolean);
create temp table import_problem (place text, reason text, detail text, is_warning boolean);

-- name: unstage
-- Drops what `stage` and the steps after it made.
drop table if exists pg_temp.import_picture, pg_temp.import_label, pg_temp.import_class,
    pg_temp.import_problem, pg_temp.import_row, pg_temp.import_said;

-- name: unique_pictures
-- Keeps the first of pictures that are named twice: labels lead to it by its name.
delete from import_picture as p using (
    select name, frame_index, min(place) as place from import_picture
    group by name, frame_index having count(*) > 1
) as twice
where
    p.name = twice.name and p.frame_index is not distinct from twice.frame_index
    and p.place > twice.place;

-- name: known_hashes
-- Which of these contents are there.
select m.sha256 from core.media_by_sha256(%(hashes)s::bytea[]) as m;

-- name: match_hashes
-- Pictures whose bytes are known.
update import_picture as p set media_id = m.media_id
from core.media as m
where m.sha256 = p.sha256 and p.problem is null;

-- name: match_uris
-- Pictures that lie where a file of the source (or of any) lies.
update import_picture as p set media_id = l.media_id
from (
    select distinct on (l.uri) l.uri, l.media_id from core.media_location as l
    where %(source)s::text is null
        or l.source_id = (select s.source_id from core.source as s where s.name = %(source)s)
    order by l.uri, l.source_id
) as l
where l.uri = p.uri and p.media_id is null and p.problem is null;

-- name: match_tails
-- Pictures whose name is the end of the place of one media, of the source or of any.
with wanted as (
    select distinct n_parts from import_picture
    where media_id is null and problem is null and n_parts is not null
),

placed as (
    select l.media_id, '/' || array_to_string(a.parts[cardinality(a.parts) - w.n_parts + 1:], '/') as tail
    from core.media_location as l
    cross join wanted as w
    cross join lateral (select string_to_array(l.uri, '/') as parts) as a
    where %(source)s::text is null
        or l.source_id = (select s.source_id from core.source as s where s.name = %(source)s)
),

found as (
    select tail, min(media_id) as media_id, count(distinct media_id) as n
    from placed
    where tail in (select p.tail from import_picture as p where p.media_id is null)
    group by tail
)

update import_picture as p set
    media_id = case when f.n = 1 then f.media_id end,
    problem = case when f.n > 1 then 'ambiguous_image' end
from found as f
where f.tail = p.tail and p.media_id is null and p.problem is null;

-- name: match_frames
-- The frame of the video that was found, of pictures that name one.
update import_picture as p set media_id = f.media_id
from import_picture as v
left join core.media as f on f.parent_media_id = v.media_id and f.frame_index = v.frame_index
where v.place = p.place and p.frame_index is not null and p.media_id is not null;

-- name: match_sizes
-- The real sizes of the pictures that were found; what this role may not see is not found.
update import_picture as p set
    media_id = m.media_id, real_width = m.width, real_height = m.height
from import_picture as q
left join core.media as m on m.media_id = q.media_id
where q.place = p.place and p.media_id is not null;

-- name: describe
-- Tells of the media that came in with this import what the file says of its pictures, split
-- included; what ingest found out itself stays.
update core.media as m set attributes = p.attributes || m.attributes
from (
    select distinct on (i.media_id) i.media_id, i.attributes from import_picture as i
    where i.media_id is not null and i.attributes <> '{}'
    order by i.media_id, i.place
) as p
where m.media_id = p.media_id and m.run_id > %(run_id)s;

-- name: unmatched
-- Names of pictures that were not found.
select p.name, p.place, p.sha256 is not null from import_picture as p
where p.media_id is null and p.problem is null and p.frame_index is null
order by p.place;

-- name: found
-- How many pictures there are, and how many of them were found.
select count(*), count(p.media_id) from import_picture as p;

-- name: picture_problems
-- What is wrong with pictures, with the number of labels that have to stay out with them.
insert into import_problem (place, reason, detail, is_warning)
select
    p.said_at, coalesce(p.problem, case when p.media_id is null then 'missing_image' else 'size_differs' end),
    p.name || coalesce(' frame ' || p.frame_index, '')
    || case coalesce(p.problem, case when p.media_id is null then '' else 'size' end)
        when 'unsafe_path' then ' leads out of the folder of the images'
        when 'ambiguous_image' then ' is the name of several media; say where they are: --images or --source'
        when 'size' then format(
            ' is %s x %s there, but %s x %s in truth; look whether its labels fit',
            p.width, p.height, p.real_width, p.real_height)
        else ' is not among the media'
    end
    || case
        when p.media_id is null and p.problem is distinct from 'size_differs'
            then format('; its %s labels are left out', coalesce(n.labels, 0)) else ''
    end,
    p.media_id is not null
from import_picture as p
left join (
    select l.picture, l.frame_index, count(*) as labels from import_label as l
    group by l.picture, l.frame_index
) as n on n.picture = p.name and n.frame_index is not distinct from p.frame_index
where p.media_id is null or p.width <> p.real_width or p.height <> p.real_height
order by p.place;

-- name: map
-- Notes what each class is read as.
update import_class as c set class_id = m.class_id, is_wanted = m.class_id is not null
from unnest(%(given)s::text[], %(class_ids)s::bigint[]) as m (given, class_id)
where m.given = c.given;

-- name: given
-- The classes of the file.
select c.given from import_class as c order by c.class;

-- name: mark_new
-- Marks pictures that would be ingested as found, for a dry run.
update import_picture as p set media_id = -1 - p.place where p.place = any(%(places)s::bigint[]);

-- name: analyze
-- Tells the planner how much there is.
analyze import_picture, import_label, import_class;

-- name: resolve
-- Each label with its media, its class, a hash of what it says, and what is wrong with it.
create temp table import_row as
select
    l.place, l.said_at, p.place as picture, p.media_id, c.class_id, l.kind, l.x, l.y, l.w, l.h,
    l.shape, l.attributes, l.track, l.confidence,
    core.label_content(c.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes) as content,
    case
        when p.place is null then 'orphan_label'
        when p.media_id is null then 'picture'
        when not c.is_wanted then 'unwanted'
        when
            l.x in ('nan', 'infinity', '-infinity') or l.y in ('nan', 'infinity', '-infinity')
            or l.w in ('nan', 'infinity', '-infinity') or l.h in ('nan', 'infinity', '-infinity')
            then 'not_a_number'
        when not l.confidence between 0 and 1 then 'bad_row'
        when
            l.w < 0 or l.h < 0
            or ((l.w = 0 or l.h = 0) and l.kind not in ('polyline', 'keypoints'))
            then 'zero_size'
        when l.kind <> 'mask' and core.shape_problem(l.kind, null, null, null, null, l.shape) is not null then 'bad_shape'
        when
            l.kind = 'mask' and (
                (l.shape #>> '{size,0}')::numeric <> p.real_height
                or (l.shape #>> '{size,1}')::numeric <> p.real_width)
            then 'bad_shape'
        when
            l.x < -0.001 or l.y < -0.001 or l.x + l.w > p.real_width + 0.001
            or l.y + l.h > p.real_height + 0.001
            then 'outside'
    end as problem,
    p.real_width, p.real_height
from import_label as l
left join import_picture as p
    on p.name = l.picture and p.frame_index is not distinct from l.frame_index
left join import_class as c on c.class = l.class;

-- name: label_problems
-- What is wrong with labels, one by one.
insert into import_problem (place, reason, detail, is_warning)
select
    r.said_at, r.problem,
    case r.problem
        when 'orphan_label' then 'its picture is not in the file'
        when 'not_a_number' then format('its box is [%s, %s, %s, %s]', r.x, r.y, r.w, r.h)
        when 'bad_row' then format('its confidence is %s, not 0 to 1', r.confidence)
        when 'zero_size' then format('its box [%s, %s, %s, %s] has no area', r.x, r.y, r.w, r.h)
        when 'bad_shape' then coalesce(
            case when r.kind <> 'mask' then core.shape_problem(r.kind, null, null, null, null, r.shape) end,
            core.place_problem(r.kind, null, null, null, null, r.shape, r.real_width, r.real_height))
        else format(
            'its box [%s, %s, %s, %s] lies partly outside of %s x %s; it is kept as it is',
            r.x, r.y, r.w, r.h, r.real_width, r.real_height)
    end,
    r.problem = 'outside'
from import_row as r
where r.problem not in ('picture', 'unwanted', 'duplicate_id')
order by r.place;

-- name: duplicate_ids
-- Labels whose id was there before, in the file; those that say the same again are left out.
with twice as (
    select l.key from import_label as l where l.key is not null group by l.key having count(*) > 1
),

numbered as (
    select
        l.place, l.said_at,
        row_number() over (partition by l.key order by l.place) as n,
        row_number() over (partition by l.key, r.media_id, r.content order by l.place) as n_same
    from import_label as l
    join twice using (key)
    join import_row as r using (place)
    where r.problem is null or r.problem = 'outside'
),

left_out as (
    update import_row as r set problem = 'duplicate_id' from numbered as d
    where d.place = r.place and d.n_same > 1
)

insert into import_problem (place, reason, detail, is_warning)
select
    d.said_at, 'duplicate_id',
    case
        when d.n_same > 1 then 'it is there before with the same id and content; left out'
        else 'another one has its id; it goes in, as what it says is different'
    end,
    d.n_same = 1
from numbered as d
where d.n > 1
order by d.place;

-- name: said
-- What the file says of each media, copies of the same numbered; pictures with the same bytes say
-- what they share once.
create temp table import_said as
select distinct on (r.media_id, r.content, r.n)
    r.media_id, r.content, r.n, r.class_id, r.kind, r.x, r.y, r.w, r.h, r.shape, r.attributes,
    hashtextextended(r.track, %(actor_id)s) & 9223372036854775807 as track_id, r.confidence
from (
    select
        w.*,
        case
            when w.kind = 'classification' then 1
            else row_number() over (partition by w.picture, w.content order by w.place)
        end as n
    from import_row as w
    where w.problem is null or w.problem = 'outside'
) as r
order by r.media_id, r.content, r.n, r.place;

-- name: index_said
-- For the batches; and tells the planner how much there is.
create index on import_said (media_id);
analyze import_said;

-- name: cuts
-- The last media of each batch.
select s.media_id from (
    select d.media_id, row_number() over (order by d.media_id) as place from import_said as d
) as s
where s.place % %(rows)s = 0
group by s.media_id
order by s.media_id;

-- name: add
-- Adds what the actor never said of the media after one and up to another.
insert into core.label (
    media_id, class_id, kind, x, y, w, h, shape, attributes, track_id, confidence, origin, actor_id,
    run_id
)
select
    s.media_id, s.class_id, s.kind, s.x, s.y, s.w, s.h, s.shape, s.attributes, s.track_id,
    s.confidence, 'import', %(actor_id)s, %(run_id)s
from import_said as s
left join (
    select
        l.media_id,
        core.label_content(l.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes) as content,
        count(*) as n
    from core.label as l
    where
        l.media_id = any(array(
            select distinct i.media_id from import_said as i
            where i.media_id > %(after)s and i.media_id <= %(upto)s))
        and l.actor_id = %(actor_id)s
    group by 1, 2
) as before on before.media_id = s.media_id and before.content = s.content
where s.media_id > %(after)s and s.media_id <= %(upto)s and s.n > coalesce(before.n, 0)
order by s.media_id;

-- name: to_add
-- How many labels `add` would add in all.
select count(*)
from import_said as s
left join (
    select
        l.media_id,
        core.label_content(l.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes) as content,
        count(*) as n
    from core.label as l
    where
        l.media_id = any(array(select distinct i.media_id from import_said as i))
        and l.actor_id = %(actor_id)s
    group by 1, 2
) as before on before.media_id = s.media_id and before.content = s.content
where s.n > coalesce(before.n, 0);

-- name: gone
-- Labels of the actor that the file, which names their media, no longer has.
insert into import_problem (place, reason, detail, is_warning)
with live as materialized (
    select
        l.label_id, l.media_id, l.class_id, l.kind,
        core.label_content(l.class_id, l.kind, l.x, l.y, l.w, l.h, l.shape, l.attributes) as content
    from core.label as l
    where
        l.media_id = any(array(select distinct p.media_id from import_picture as p))
        and l.actor_id = %(actor_id)s and l.rev_to is null
)

select
    'label ' || l.label_id, 'not_in_file',
    format('media %s was said to be or have %s (%s); the file no longer says so, the label stays',
        l.media_id, c.name, l.kind),
    true
from live as l
join core.class as c using (class_id)
where not exists (
    select from import_said as s where s.media_id = l.media_id and s.content = l.content
)
order by l.label_id;

-- name: keep_problems
-- Replaces the problems of the last import of this by those of this one.
with old as (delete from core.import_problem as p where p.uri = %(uri)s)

insert into core.import_problem (run_id, uri, place, reason, detail, is_warning)
select %(run_id)s, %(uri)s, p.place, p.reason, p.detail, p.is_warning from import_problem as p;

-- name: by_reason
-- How many problems there are of each kind.
select p.reason, p.is_warning, count(*) from import_problem as p group by 1, 2 order by 1, 2;

-- name: some_problems
-- The first problems of each kind.
select p.place, p.reason, p.detail from (
    select i.*, row_number() over (partition by i.reason) as n from import_problem as i
) as p
where p.n <= %(n)s
order by p.reason, p.n;

-- name: labels_by_class
-- How many labels of each class and kind the file has, and what its class is read as.
select c.given, k.name as class, l.kind, count(*) as n
from import_label as l
join import_class as c using (class)
left join core.class as k on k.class_id = c.class_id
group by 1, 2, 3
order by 1, 3;

-- name: counts
-- Pictures that were found, and how the labels ended; unread are rows that the reader refused.
select
    (select count(*) from import_picture as p) as pictures,
    (select count(*) from import_picture as p where p.media_id is not null) as found,
    (select count(*) from import_label) as labels,
    (select count(*) from import_said) as said,
    (select count(*) from import_row as r where r.problem = 'unwanted') as unwanted,
    (select count(*) from import_row as r where r.problem not in ('unwanted', 'outside')) as wrong,
    (select count(*) from import_problem as p where not p.is_warning)
    - (select count(*) from import_row as r where r.problem not in ('unwanted', 'outside', 'picture'))
    - (select count(*) from import_picture as p where p.media_id is null) as unread;

-- name: actor_id
-- The actor of this name, if it was ever heard.
select a.actor_id from core.actor as a where a.name = %(actor)s;

-- name: known_predictions
-- The run that imported these predictions already.
select r.run_id from core.run as r
where r.kind = 'import_predictions' and r.status = 'succeeded'
    and r.parameters ->> 'digest' = %(digest)s and r.parameters ->> 'actor' = %(actor)s
order by r.run_id desc limit 1;

-- name: unsure
-- How many classes and boxes have no confidence.
select count(*) from import_said as s where s.kind in ('classification', 'box') and s.confidence is null;

-- name: add_predictions
-- Keeps the classes and boxes that a model predicted.
insert into core.predicted_label (run_id, media_id, class_id, kind, x, y, w, h, confidence)
select %(run_id)s, s.media_id, s.class_id, s.kind, s.x, s.y, s.w, s.h, s.confidence
from import_said as s
where s.kind in ('classification', 'box')
order by s.media_id, s.n;
