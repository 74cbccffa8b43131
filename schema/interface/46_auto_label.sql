-- Labels that methods of automated labelling wrote, and whether a person's word has overtaken them.
create view smartdb.auto_label as
select
    l.label_id, l.media_id, l.class, l.kind, l.x, l.y, l.w, l.h, l.confidence, l.actor as method, l.run_id,
    l.review_state,
    exists (
        select from core.label as h
        join core.class as k on k.class_id = h.class_id
        where h.media_id = l.media_id and h.kind = l.kind and h.rev_to is null
            and h.origin in ('consensus', 'human', 'import')
            and k.ontology_id = (select c.ontology_id from core.class as c where c.class_id = l.class_id)
    ) as is_shadowed,
    l.created_at, l.class_id
from smartdb.label as l
where l.origin = 'model' and l.run_id = any (array(select t.run_id from core.auto_label_threshold as t));

comment on view smartdb.auto_label is
    'Labels that automated labelling wrote above its threshold, live. They count in no other view, version or export unless '
    'origin model is asked for; where a person, an import or a consensus says something of that kind too, they are shadowed.';
comment on column smartdb.auto_label.label_id is 'Identity of this state of the label.';
comment on column smartdb.auto_label.media_id is 'The media.';
comment on column smartdb.auto_label.class is 'The class.';
comment on column smartdb.auto_label.kind is 'classification or box.';
comment on column smartdb.auto_label.x is 'Left edge of the box, pixels.';
comment on column smartdb.auto_label.y is 'Top edge of the box, pixels.';
comment on column smartdb.auto_label.w is 'Width of the box, pixels.';
comment on column smartdb.auto_label.h is 'Height of the box, pixels.';
comment on column smartdb.auto_label.confidence is 'How sure the method was, 0 to 1; compare with its threshold.';
comment on column smartdb.auto_label.method is 'The actor in whose name it was written.';
comment on column smartdb.auto_label.run_id is 'The run that wrote it.';
comment on column smartdb.auto_label.review_state is 'unreviewed or accepted; a rejected or corrected one is no longer there.';
comment on column smartdb.auto_label.is_shadowed is
    'Whether a person, an import or a consensus said a label of that kind and ontology since; the next run of the method closes it.';
comment on column smartdb.auto_label.created_at is 'When it was written.';
comment on column smartdb.auto_label.class_id is 'Identity of the class.';

-- example:
--   select media_id, class, confidence, method, is_shadowed from smartdb.auto_label order by
--   media_id
-- result:
--   11 | dog | 0.91 | labelling functions | False
