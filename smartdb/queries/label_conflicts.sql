-- name: add_conflicting
-- Suspects the labels of media that one importer puts in several classes: all but one are wrong.
with torn as (
    select
        l.media_id, l.label_id, 1 - 1 / count(*) over (partition by l.media_id, l.actor_id)::real as score,
        case
            when count(*) over (partition by l.media_id, l.actor_id) = 2
                then sum(l.class_id) over (partition by l.media_id, l.actor_id) - l.class_id
        end as other_class_id
    from core.label as l
    where
        l.kind = 'classification' and l.rev_to is null and l.origin = 'import'
        and l.media_id in (
            select k.media_id from core.label as k
            where k.kind = 'classification' and k.rev_to is null and k.origin = 'import'
            group by k.media_id having count(*) > 1
        )
)
insert into core.label_issue as i (media_id, label_id, kind, score, suggested_class_id, run_id)
select t.media_id, t.label_id, 'conflicting', t.score, t.other_class_id, %(run_id)s
from torn as t
where t.score > 0
order by t.label_id
on conflict (label_id, kind) do update set
    score = excluded.score, suggested_class_id = excluded.suggested_class_id
where i.state = 'open' and i.score <> excluded.score
returning i.xmax = 0 as is_new;

-- name: drop_settled_conflicts
-- Drops open conflicts of labels that are closed or the only class left of their importer.
delete from core.label_issue as i
using core.label as l
where
    l.label_id = i.label_id and i.kind = 'conflicting' and i.state = 'open'
    and (
        l.rev_to is not null
        or not exists (
            select from core.label as k
            where
                k.media_id = l.media_id and k.actor_id = l.actor_id and k.label_id <> l.label_id
                and k.kind = 'classification' and k.rev_to is null
        )
    )
returning i.label_id;

-- name: add_twins
-- Suspects the labels of near-duplicates that count as different classes: all but one are wrong.
with twin as (
    select d.group_id, c.media_id, c.label_id, c.class_id
    from core.duplicate as d
    join smartdb.media_class as c on c.media_id = d.media_id
),
class as (
    select t.group_id, t.class_id, count(*) as n, sum(count(*)) over (partition by t.group_id) as n_all
    from twin as t
    group by t.group_id, t.class_id
),
torn as (
    select
        t.media_id, t.label_id, t.group_id, (1 - c.n / c.n_all)::real as score,
        (
            select case when count(*) filter (where o.n = o.most) = 1
                then min(o.class_id) filter (where o.n = o.most) end
            from (
                select k.class_id, k.n, max(k.n) over () as most from class as k
                where k.group_id = t.group_id and k.class_id <> t.class_id
            ) as o
        ) as other_class_id
    from twin as t
    join class as c on c.group_id = t.group_id and c.class_id = t.class_id
    where c.n < c.n_all
)
insert into core.label_issue as i (media_id, label_id, kind, score, suggested_class_id, suggestion, run_id)
select
    t.media_id, t.label_id, 'twins_differ', t.score, t.other_class_id,
    (
        select jsonb_build_object('kind', 'classification', 'class', k.name)
        from core.class as k where k.class_id = t.other_class_id
    ),
    %(run_id)s
from torn as t
where
    not exists (
        select from core.review as r
        where r.label_id = t.label_id and r.verdict = 'accepted' and r.rev_to is null
    )
    and ( -- where as many say the one as the other, ask about neither if it is known which is doubted
        t.score > 0.5
        or not exists (
            select from twin as o
            join core.label_issue as s on s.label_id = o.label_id
            where o.group_id = t.group_id and s.kind = 'swapped' and s.state = 'open'
        )
    )
order by t.score desc, t.label_id
on conflict (label_id, kind) do update set
    score = excluded.score, suggested_class_id = excluded.suggested_class_id, suggestion = excluded.suggestion,
    run_id = excluded.run_id
where i.state = 'open'
returning i.xmax = 0 as is_new;

-- name: drop_settled_twins
-- Drops open conflicts of near-duplicates that are over: closed labels, and groups that agree now.
delete from core.label_issue as i
using core.label as l
where
    l.label_id = i.label_id and i.kind = 'twins_differ' and i.state = 'open'
    and (
        l.rev_to is not null
        or not exists (
            select from core.duplicate as d
            join core.duplicate as o on o.group_id = d.group_id and o.media_id <> d.media_id
            join smartdb.media_class as c on c.media_id = o.media_id
            where d.media_id = i.media_id and c.class_id <> l.class_id
        )
    )
returning i.label_id;
