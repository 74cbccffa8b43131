-- Puts a tag on all media that fulfil a condition; no id travels to the client.
create function smartdb.tag_media(tag text, predicate text, actor text default session_user::text)
returns bigint
language plpgsql as $$
declare
    who constant bigint := smartdb.person_id(actor);
    n bigint;
begin
    if coalesce(length(tag), 0) not between 1 and 200 then
        raise exception 'a tag has 1 to 200 characters, this one %', coalesce(length(tag), 0)
            using errcode = 'SD002', hint = 'give a word or two';
    end if;
    insert into core.media_tag (media_id, tag, actor_id)
    select w.media_id, tag_media.tag, who
    from smartdb.media_where(predicate) as w
    where not exists (
        select from smartdb.media_tag as t where t.tag = tag_media.tag and t.media_id = w.media_id
    )
    order by w.media_id
    on conflict do nothing; -- another did so at the same time
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function smartdb.tag_media(text, text, text) is
    'Puts a tag on the media that fulfil a condition on smartdb.media, read as m; returns how many did not have it. Needs '
    'smartdb_annotator, smartdb_reviewer or smartdb_writer. SD002 for a predicate that does not work, or no tag.';

-- example:
--   select smartdb.tag_media('dark', 'm.brightness < 0.2', 'ana')
-- result:
--   3
