-- The name of what must stay on one side of a split, from what a media says of itself.
create function smartdb.split_group_of(group_key text, sha256 text) returns text
language sql immutable parallel safe
begin atomic
    select case when group_key is not null then 'group ' || group_key else 'media ' || sha256 end;
end;
comment on function smartdb.split_group_of(text, text) is
    'The name of a split group: of the given group_key, else of the SHA-256 (in hex) of the media, or of the first of its near-duplicates.';

-- example:
--   select smartdb.split_group_of('scene 1', 'ab'), smartdb.split_group_of(null, 'ab')
-- result:
--   group scene 1 | media ab
