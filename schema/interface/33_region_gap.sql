-- Regions that an encoder has no vector of yet: the work list of smartdb regions.
create function smartdb.region_gap(encoder text)
returns table (label_id bigint, media_id bigint, class text, kind text, problem text)
language plpgsql stable as $$
declare
    at constant text := (smartdb.require_encoder(encoder)).region_vectors;
begin
    return query execute format(
        'select r.label_id, r.media_id, r.class, r.kind, r.problem from smartdb.region as r
         where not exists (select from %s as v where v.label_id = r.label_id)', at);
end
$$;
comment on function smartdb.region_gap(text) is
    'Live boxes, rotated boxes, polygons and masks that an encoder has no vector of yet; those with a problem cannot have one. '
    'SD001 for an unknown encoder.';

-- example:
--   select label_id, media_id, class, kind, problem from smartdb.region_gap('tiny') order by label_id
-- result:
--   104 | 10 | dog | box | tiny
