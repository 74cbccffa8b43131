-- The media that may not be used for a purpose; what a dataset version that declares it refuses.
create function smartdb.use_refused(purpose text, at timestamptz default now())
returns table (media_id bigint, reason text)
language sql stable rows 10000
begin atomic
    select r.media_id, r.reason
    from core.use_refused(purpose, at) as r join smartdb.media as m on m.media_id = r.media_id;
end;
comment on function smartdb.use_refused(text, timestamptz) is
    'The media whose terms (see media_terms) do not allow a use, or whose right has ended by then, with the reason. Terms '
    'that were not stated allow nothing.';

-- example:
--   select media_id, reason from smartdb.use_refused('publication') where media_id <= 2 order by
--   media_id
-- result:
--   1 | publication is not allowed (source toys)
