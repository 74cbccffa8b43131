-- Suspected errors of boxes and outlines, with the place said and the place suggested side by side.
create view smartdb.box_issue as
select
    i.issue_id, i.media_id, i.uri, i.label_id, i.kind, i.score, i.state, i.is_live,
    h.actor, h.class, h.x, h.y, h.w, h.h,
    i.suggested_class,
    (i.suggestion ->> 'x')::double precision as suggested_x,
    (i.suggestion ->> 'y')::double precision as suggested_y,
    (i.suggestion ->> 'w')::double precision as suggested_w,
    (i.suggestion ->> 'h')::double precision as suggested_h,
    (i.detail ->> 'label_id')::bigint as duplicate_of,
    i.run_id
from smartdb.label_issue as i
left join smartdb.label_history as h on h.label_id = i.label_id
where i.label_id is null or h.w is not null;

comment on view smartdb.box_issue is
    'Suspected errors of boxes and outlines: swapped, badly_placed, rough_outline, duplicate, spurious, impossible_geometry, overlooked.';
comment on column smartdb.box_issue.issue_id is 'Identity of the suspicion.';
comment on column smartdb.box_issue.media_id is 'The media.';
comment on column smartdb.box_issue.uri is 'Where its bytes lie.';
comment on column smartdb.box_issue.label_id is 'The suspected label; null where one is missing (overlooked).';
comment on column smartdb.box_issue.kind is 'What is wrong with it.';
comment on column smartdb.box_issue.score is 'How suspicious, 0 to 1.';
comment on column smartdb.box_issue.state is 'open, confirmed or dismissed.';
comment on column smartdb.box_issue.is_live is 'False if the label has changed since.';
comment on column smartdb.box_issue.actor is 'Who put the box.';
comment on column smartdb.box_issue.class is 'The class it was given.';
comment on column smartdb.box_issue.x is 'Left edge of the box, pixels.';
comment on column smartdb.box_issue.y is 'Top edge of the box, pixels.';
comment on column smartdb.box_issue.w is 'Width of the box, pixels.';
comment on column smartdb.box_issue.h is 'Height of the box, pixels.';
comment on column smartdb.box_issue.suggested_class is 'The class that the other gives it.';
comment on column smartdb.box_issue.suggested_x is 'Left edge by the other, pixels.';
comment on column smartdb.box_issue.suggested_y is 'Top edge by the other, pixels.';
comment on column smartdb.box_issue.suggested_w is 'Width by the other, pixels.';
comment on column smartdb.box_issue.suggested_h is 'Height by the other, pixels.';
comment on column smartdb.box_issue.duplicate_of is 'The label that says the same already.';
comment on column smartdb.box_issue.run_id is 'The run that found it.';

-- example:
--   select count(*) from smartdb.box_issue
-- result:
--   0
