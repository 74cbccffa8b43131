-- Takes a tag off all media that fulfil a condition; history keeps that it was on.
create function smartdb.untag_media(tag text, predicate text default 'true') returns bigint
language plpgsql as $$
declare
    n bigint;
begin
    update core.media_tag as t set rev_to = 0
    from smartdb.media_where(predicate) as w
    where t.tag = untag_media.tag and t.rev_to is null and t.media_id = w.media_id;
    get diagnostics n = row_count;
    return n;
end
$$;
comment on function smartdb.untag_media(text, text) is
    'Takes a tag off the media that fulfil a condition on smartdb.media, read as m; returns how many had it. Needs '
    'smartdb_annotator, smartdb_reviewer or smartdb_writer. SD002 for a predicate that does not work.';

-- example:
--   select smartdb.untag_media('night', 'm.media_id <= 2')
-- result:
--   2
