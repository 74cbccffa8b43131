-- name: patterns
-- What actors confuse significantly more often than the others, the clearest first.
select p.actor, p.others_say, p.actor_says, p.n, p.n_seen, p.rate, p.rate_of_others, p.z
from smartdb.annotator_pattern as p
where p.is_significant or %(all)s
order by p.z desc nulls last, p.actor, p.others_say, p.actor_says;

-- name: add
-- Suspects the labels of each pattern; the score is the share of them that the habit explains.
with pattern as materialized (
    select p.actor, p.others_say, p.actor_says, (p.rate - p.rate_of_others) / p.rate as excess
    from smartdb.annotator_pattern as p where p.is_significant
),
compared as materialized (select * from smartdb.label_against_others)
insert into core.label_issue as i (media_id, label_id, kind, score, suggested_class_id, suggestion, run_id)
select
    l.media_id, l.label_id, 'annotator_pattern', p.excess::real, l.others_class_id,
    jsonb_build_object('kind', 'classification', 'class', p.others_say), %(run_id)s
from pattern as p
join compared as l on l.actor = p.actor and l.class = p.actor_says and l.others_say = p.others_say
where
    not exists (
        select from core.review as r
        where r.label_id = l.label_id and r.verdict = 'accepted' and r.rev_to is null
    )
order by p.excess desc, l.label_id
on conflict (label_id, kind) do update set
    score = excluded.score, suggested_class_id = excluded.suggested_class_id, suggestion = excluded.suggestion,
    run_id = excluded.run_id
where i.state = 'open'
returning i.xmax = 0 as is_new;

-- name: drop_gone
-- Drops open issues of patterns that the run did not find, and of closed labels.
delete from core.label_issue as i
using core.label as l
where
    l.label_id = i.label_id and i.kind = 'annotator_pattern' and i.state = 'open'
    and (l.rev_to is not null or i.run_id <> %(run_id)s)
returning i.label_id;
