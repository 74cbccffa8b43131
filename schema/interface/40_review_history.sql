-- Every verdict that was ever given, withdrawn ones too.
create view smartdb.review_history as
select
    r.review_id, h.object_id, r.label_id, r.media_id, v.name as reviewer, r.verdict, r.state_before, r.state,
    r.correction, r.corrected_label_id, r.reason, r.task_id, r.created_at, r.rev_from, r.rev_to
from core.review as r
join smartdb.label_history as h on h.label_id = r.label_id
join core.actor as v on v.actor_id = r.reviewer_id;

comment on view smartdb.review_history is 'Every verdict that was ever given; rev_to says when one was withdrawn.';
comment on column smartdb.review_history.review_id is 'Identity of the review.';
comment on column smartdb.review_history.object_id is 'The labelled thing.';
comment on column smartdb.review_history.label_id is 'The judged row of its label.';
comment on column smartdb.review_history.media_id is 'The media.';
comment on column smartdb.review_history.reviewer is 'Who judged.';
comment on column smartdb.review_history.verdict is 'accepted, corrected, rejected or disputed.';
comment on column smartdb.review_history.state_before is 'The review state of the label before.';
comment on column smartdb.review_history.state is 'And after.';
comment on column smartdb.review_history.correction is 'What a reviewer who differed would have instead.';
comment on column smartdb.review_history.corrected_label_id is 'The row that took its place, or opened it again.';
comment on column smartdb.review_history.reason is 'Why.';
comment on column smartdb.review_history.task_id is 'The task it answered.';
comment on column smartdb.review_history.created_at is 'When it was given.';
comment on column smartdb.review_history.rev_from is 'Revision at which it was given.';
comment on column smartdb.review_history.rev_to is 'Revision at which it was withdrawn; null while it holds.';

-- example:
--   select label_id, reviewer, verdict, state_before, state, rev_to from smartdb.review_history
--   order by review_id
-- result:
--   5 | ana | corrected | unreviewed | corrected | None
--   9 | ana | accepted | unreviewed | accepted | None
