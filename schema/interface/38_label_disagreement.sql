-- How many of a media's neighbours count as another class, by the labels as they are now.
create view smartdb.label_disagreement as
select
    min(n.encoder) as encoder, n.media_id, min(a.class) as class, count(*) as n_labelled,
    coalesce(sum(w.weight) filter (where b.class_id <> a.class_id), 0)
    / nullif(sum(w.weight), 0) as label_disagreement,
    n.encoder_id
from smartdb.neighbour as n
join smartdb.media_class as a on a.media_id = n.media_id
join smartdb.media_class as b on b.media_id = n.neighbour_id
cross join lateral (select greatest(1 - n.distance, 0)) as w (weight)
group by n.encoder_id, n.media_id;

comment on view smartdb.label_disagreement is
    'Share of the labelled neighbours of a labelled media that count as another class, the nearer ones counting more '
    '(by cosine similarity); near 1 the label is suspicious. Never stale: it reads the labels as they are.';
comment on column smartdb.label_disagreement.encoder is 'Name of the encoder.';
comment on column smartdb.label_disagreement.media_id is 'The media.';
comment on column smartdb.label_disagreement.class is 'The class that the media counts as.';
comment on column smartdb.label_disagreement.n_labelled is 'How many of its neighbours have a class.';
comment on column smartdb.label_disagreement.label_disagreement is 'Share of these with another class, weighted by 1 - distance, 0 to 1.';
comment on column smartdb.label_disagreement.encoder_id is 'Identity of the encoder.';

-- example:
--   select media_id, class, n_labelled, label_disagreement from smartdb.label_disagreement
--   where media_id in (3, 4, 5) order by media_id
-- result:
--   3 | cat | 2 | 0.5
--   4 | dog | 2 | 0.5
--   5 | dog | 2 | 0.4998
