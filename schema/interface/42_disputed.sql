-- Labels about which reviewers or authors differ, until an adjudicator settles it.
create view smartdb.disputed as
select
    r.label_id, h.object_id, r.media_id, m.uri, h.class, h.actor as labelled_by, h.rev_to is null as is_live,
    r.state_before, a.name as disputed_by, r.verdict, r.correction, r.reason, r.created_at,
    t.task_id, t.state as task_state
from core.review as r
join smartdb.media as m on m.media_id = r.media_id
join smartdb.label_history as h on h.label_id = r.label_id
join core.actor as a on a.actor_id = r.reviewer_id
left join core.task as t
    on t.kind = 'adjudicate' and t.label_id = r.label_id and t.state in ('open', 'claimed')
where
    r.state = 'disputed' and r.rev_to is null
    and not exists (
        select from core.review as s
        where s.label_id = r.label_id and s.rev_to is null and s.review_id > r.review_id
    )
    and not exists (
        select from core.label as k where k.object_id = h.object_id and k.label_id > h.label_id
    );

comment on view smartdb.disputed is 'Labels about which people differ, with what the last of them said, until smartdb.adjudicate.';
comment on column smartdb.disputed.label_id is 'The disputed row of the label.';
comment on column smartdb.disputed.object_id is 'The label; smartdb.label_story tells what was said of it.';
comment on column smartdb.disputed.media_id is 'The media.';
comment on column smartdb.disputed.uri is 'Where its bytes lie.';
comment on column smartdb.disputed.class is 'What the row says.';
comment on column smartdb.disputed.labelled_by is 'Who wrote it.';
comment on column smartdb.disputed.is_live is 'Whether it stands meanwhile; false after a rejection.';
comment on column smartdb.disputed.state_before is 'The verdict that is disputed: accepted, corrected or rejected.';
comment on column smartdb.disputed.disputed_by is 'Who differs.';
comment on column smartdb.disputed.verdict is 'What they say: disputed, corrected or rejected.';
comment on column smartdb.disputed.correction is 'What they would have instead.';
comment on column smartdb.disputed.reason is 'Why.';
comment on column smartdb.disputed.created_at is 'Since when.';
comment on column smartdb.disputed.task_id is 'The task that asks an adjudicator.';
comment on column smartdb.disputed.task_state is 'open or claimed.';

-- example:
--   select count(*) from smartdb.disputed
-- result:
--   0
