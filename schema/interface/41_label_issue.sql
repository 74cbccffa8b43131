-- Suspected label errors, with the verdict where there is one.
create view smartdb.label_issue as
select
    i.issue_id, i.label_id, i.media_id, m.uri, h.class, h.actor, c.name as suggested_class,
    i.suggestion, i.detail, i.kind, i.score, i.state, h.rev_to is null as is_live, i.run_id, i.created_at,
    d.name as decided_by, i.decided_at, i.reason, i.new_label_id
from core.label_issue as i
join smartdb.media as m on m.media_id = i.media_id
left join smartdb.label_history as h on h.label_id = i.label_id
left join core.class as c on c.class_id = i.suggested_class_id
left join core.actor as d on d.actor_id = i.decided_by;

comment on view smartdb.label_issue is
    'Suspected label errors: questions, not verdicts. confirmed was wrong, dismissed was right.';
comment on column smartdb.label_issue.issue_id is 'Identity of the suspicion.';
comment on column smartdb.label_issue.label_id is 'The suspected state of the label; null where a label is missing (overlooked).';
comment on column smartdb.label_issue.media_id is 'The media.';
comment on column smartdb.label_issue.uri is 'Where its bytes lie.';
comment on column smartdb.label_issue.class is 'The class it was given.';
comment on column smartdb.label_issue.actor is 'Who gave it.';
comment on column smartdb.label_issue.suggested_class is 'The class that the detector would give.';
comment on column smartdb.label_issue.suggestion is 'Where and how the detector would put it: kind, x, y, w, h, shape.';
comment on column smartdb.label_issue.detail is 'What it rests on: rules that it breaks, the label_id that it repeats.';
comment on column smartdb.label_issue.kind is 'swapped, overlooked, badly_placed, duplicate, ...';
comment on column smartdb.label_issue.score is 'How suspicious, 0 to 1.';
comment on column smartdb.label_issue.state is 'open, confirmed or dismissed.';
comment on column smartdb.label_issue.is_live is 'False if the label has changed since.';
comment on column smartdb.label_issue.run_id is 'The run that found it.';
comment on column smartdb.label_issue.created_at is 'When it was found first.';
comment on column smartdb.label_issue.decided_by is 'Who decided.';
comment on column smartdb.label_issue.decided_at is 'When.';
comment on column smartdb.label_issue.reason is 'Why.';
comment on column smartdb.label_issue.new_label_id is 'The label that was added because it had been overlooked.';

-- example:
--   select media_id, class, suggested_class, kind, score, state, is_live from
--   smartdb.label_issue order by issue_id
-- result:
--   5 | cat | dog | swapped | 0.8 | confirmed | False
--   9 | dog | cat | swapped | 0.6 | dismissed | True
--   7 | dog | cat | swapped | 0.3 | open | True
