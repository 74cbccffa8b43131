-- What models elsewhere predicted, as files said it.
create view smartdb.predicted_label as
select
    p.predicted_label_id, p.run_id, p.media_id, c.name as class, p.class_id, p.kind, p.x, p.y, p.w, p.h, p.confidence
from core.predicted_label as p
left join core.class as c on c.class_id = p.class_id;

comment on view smartdb.predicted_label is
    'Classes and boxes that models elsewhere predicted, imported from files; not labels. Always name a run: where run_id = ...';
comment on column smartdb.predicted_label.predicted_label_id is 'Identity of the row.';
comment on column smartdb.predicted_label.run_id is 'The run that imported them; its parameters name file and model.';
comment on column smartdb.predicted_label.media_id is 'The media.';
comment on column smartdb.predicted_label.class is 'The predicted class.';
comment on column smartdb.predicted_label.class_id is 'Identity of the class.';
comment on column smartdb.predicted_label.kind is 'classification or box.';
comment on column smartdb.predicted_label.x is 'Left edge of the box, pixels.';
comment on column smartdb.predicted_label.y is 'Top edge of the box, pixels.';
comment on column smartdb.predicted_label.w is 'Width of the box, pixels.';
comment on column smartdb.predicted_label.h is 'Height of the box, pixels.';
comment on column smartdb.predicted_label.confidence is 'How sure the model was, 0 to 1.';

-- example:
--   select media_id, class, kind, confidence from smartdb.predicted_label order by
--   predicted_label_id
-- result:
--   11 | dog | classification | 0.7
--   8 | cat | box | 0.6
--   9 | dog | box | 0.5
