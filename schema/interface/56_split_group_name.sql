-- The split group of one media, looked up by the indexes whatever the statement around it allows.
create function smartdb.split_group_name(media bigint) returns text
language sql stable parallel safe
set enable_nestloop = on
begin atomic
    select g.split_group from smartdb.split_group as g where g.media_id = media;
end;
comment on function smartdb.split_group_name(bigint) is 'The name of the split group of a media, see smartdb.split_group.';

-- example:
--   select smartdb.split_group_name(3)
-- result:
--   group scene 1
