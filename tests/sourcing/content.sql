-- What is left of the content of the media %(ids)s: one row for each kind of thing.

select 'media' from core.media where media_id = any (%(ids)s) and (
    num_nonnulls(phash, captured_at, group_key) > 0 or exif <> '{}' or attributes <> '{}'
    or recipe ? 'regions' or erased_at is null)
union all select 'location' from core.media_location where media_id = any (%(ids)s)
union all select 'quality' from core.quality where media_id = any (%(ids)s)
union all select 'finding' from core.finding where media_id = any (%(ids)s)
union all select 'duplicate' from core.duplicate where media_id = any (%(ids)s)
union all select 'subject' from core.media_subject where media_id = any (%(ids)s)
union all select 'terms' from core.media_terms where media_id = any (%(ids)s)
union all select 'vector' from core.embedding_1 where media_id = any (%(ids)s)
union all select 'edge' from core.neighbour where media_id = any (%(ids)s) or neighbour_id = any (%(ids)s)
union all select 'pair' from core.duplicate_pair where media_id = any (%(ids)s) or other_id = any (%(ids)s)
union all select 'label' from core.label where media_id = any (%(ids)s) and (
    rev_to is null or num_nonnulls(x, y, w, h, shape, attributes, track_id) > 0)
union all select 'review' from core.review where media_id = any (%(ids)s) and num_nonnulls(reason, correction) > 0
union all select 'comment' from core.comment where media_id = any (%(ids)s) and text is not null
union all select 'issue' from core.label_issue where media_id = any (%(ids)s)
union all select 'label score' from core.label_score as s join core.label as l on l.label_id = any (s.label_ids)
    where l.media_id = any (%(ids)s)
union all select 'task' from core.task where media_id = any (%(ids)s) and state in ('open', 'claimed')
union all select 'prediction' from core.prediction where media_id = any (%(ids)s)
union all select 'batch item' from core.batch_item where media_id = any (%(ids)s)
union all select 'dynamics' from core.training_dynamics where media_id = any (%(ids)s)
union all select 'pruning' from core.pruning_item where media_id = any (%(ids)s) or kept_by = any (%(ids)s)
union all select 'tag' from core.media_tag where media_id = any (%(ids)s) and (rev_to is null or tag is not null)
union all select 'set' from core.slice_media where media_id = any (%(ids)s)
