-- Which verdict may follow which, by whom, and what the label is then.
create view smartdb.review_transition as
select t.state, t.verdict, t.judge, t.next_state, t.note from core.review_transition as t;

comment on view smartdb.review_transition is 'The review states of a label and the verdicts that lead from one to the next; others are refused (SD007).';
comment on column smartdb.review_transition.state is 'The state before.';
comment on column smartdb.review_transition.verdict is 'What is said.';
comment on column smartdb.review_transition.judge is 'Who may say it: reviewer, disputant or adjudicator.';
comment on column smartdb.review_transition.next_state is 'The state after.';
comment on column smartdb.review_transition.note is 'What that means.';

-- example:
--   select verdict, judge, next_state from smartdb.review_transition where state = 'disputed'
--   order by verdict
-- result:
--   accepted | adjudicator | adjudicated
--   corrected | adjudicator | adjudicated
--   rejected | adjudicator | adjudicated
