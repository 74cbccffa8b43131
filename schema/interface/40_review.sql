-- Verdicts in force, with who gave them on whose label.
create view smartdb.review as
select
    r.review_id, r.label_id, h.media_id, h.class, h.actor as labelled_by, v.name as reviewer,
    r.verdict, n.class as corrected_class, r.corrected_label_id, r.reason, r.task_id,
    r.created_at, r.rev_from, r.state_before, r.state, r.correction
from core.review as r
join smartdb.label_history as h on h.label_id = r.label_id
left join smartdb.label_history as n on n.label_id = r.corrected_label_id
left join core.actor as v on v.actor_id = r.reviewer_id
where r.rev_to is null;

comment on view smartdb.review is 'Verdicts in force, with who gave them on whose label.';
comment on column smartdb.review.review_id is 'Identity of the review.';
comment on column smartdb.review.label_id is 'The judged state of the label.';
comment on column smartdb.review.media_id is 'The media.';
comment on column smartdb.review.class is 'The class that was judged.';
comment on column smartdb.review.labelled_by is 'Whose label it was.';
comment on column smartdb.review.reviewer is 'Who judged.';
comment on column smartdb.review.verdict is 'accepted, corrected, rejected or disputed.';
comment on column smartdb.review.corrected_class is 'The class it was corrected to.';
comment on column smartdb.review.corrected_label_id is 'The label row that took its place, or opened it again.';
comment on column smartdb.review.reason is 'Why, for a person.';
comment on column smartdb.review.task_id is 'The task it answered.';
comment on column smartdb.review.created_at is 'When it was given.';
comment on column smartdb.review.rev_from is 'Revision at which it was given.';
comment on column smartdb.review.state_before is 'The review state of the label before.';
comment on column smartdb.review.state is 'The review state of the label after it.';
comment on column smartdb.review.correction is 'What a reviewer who differed would have instead.';

-- example:
--   select label_id, class, labelled_by, reviewer, verdict, corrected_class, reason from
--   smartdb.review order by review_id
-- result:
--   5 | cat | folder names | ana | corrected | dog | long ears
--   9 | dog | folder names | ana | accepted | None | None
