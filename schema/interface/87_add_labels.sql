-- What a person says of a media, all of it at once.
create function smartdb.add_labels(
    media bigint, actor text, labels jsonb, ontology text default null, task bigint default null
)
returns setof bigint
language plpgsql volatile as $$
declare
    me constant bigint := smartdb.person_id(actor);
    said core.label[];
    torn text;
begin
    perform smartdb.require_media(media);
    said := smartdb.label_rows(labels, ontology, media);
    if task is not null and (smartdb.require_lease(task, actor)).media_id <> media then
        raise exception 'task % is about another media than %', task, media
            using errcode = 'SD002', hint = 'see: select * from smartdb.task_queue';
    end if;
    insert into core.label (
        object_id, media_id, class_id, kind, x, y, w, h, shape, attributes, track_id, subject_id, target_id,
        origin, actor_id, confidence, task_id
    )
    select
        s.object_id, media, s.class_id, s.kind, s.x, s.y, s.w, s.h, s.shape, s.attributes, s.track_id, s.subject_id, s.target_id,
        'human', me, s.confidence, task
    from unnest(said) as s
    order by s.object_id
    on conflict (media_id, actor_id, class_id) where rev_to is null and kind = 'classification' do nothing;
    -- what they had said before stays, if they say the same again
    select c.class into torn
    from unnest(said) as s
    join smartdb.label as c
        on c.media_id = media and c.actor_id = me and c.class_id = s.class_id and c.kind = 'classification'
        and c.object_id <> s.object_id
    where s.kind = 'classification' and (c.attributes, c.confidence) is distinct from (s.attributes, s.confidence)
    limit 1;
    if found then
        raise exception '% says % of media % already, with other attributes or confidence', actor, torn, media
            using errcode = 'SD005', hint = 'edit that label: smartdb.edit_label';
    end if;
    return query
    select l.label_id
    from unnest(said) as s
    join core.label as l
        on l.rev_to is null and (
            l.object_id = s.object_id
            or s.kind = 'classification' and l.kind = 'classification' and l.media_id = media and l.actor_id = me
            and l.class_id = s.class_id)
    order by s.object_id;
end
$$;
comment on function smartdb.add_labels(bigint, text, jsonb, text, bigint) is
    'Writes a list of label objects (see smartdb.label_row) about a media as what a person says, all or none, and returns their label_ids '
    'in the order given; a class that the person has said of the media already is not said twice. The task, if it answers one, must '
    'be leased to them. SD001 for a media that is unknown, hidden or erased, or an unknown class; SD002 for what cannot be, with its '
    'place in the list from 0; SD004 not leased; SD005 said already with other attributes.';

-- example:
--   select count(*) from smartdb.add_labels(1, 'ana', '[{"class": "cat", "kind": "box", "x": 3,
--   "y": 4, "w": 10, "h": 8}, {"class": "cat"}]')
-- result:
--   2
