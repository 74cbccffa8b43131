-- Media of which an encoder's graph does not say all yet: the work list of smartdb map.
create function smartdb.graph_gap(encoder text) returns table (media_id bigint, reason text)
language plpgsql stable as $$
declare
    at constant text := (smartdb.require_encoder(encoder)).vectors;
begin
    return query execute format(
        'select v.media_id, case when g.media_id is null then ''new'' when g.n_neighbours is null then ''lost edge''
             else ''not placed'' end
         from %s as v
         left join smartdb.media_graph as g on g.media_id = v.media_id and g.encoder = $1
         where g.n_neighbours is null or g.cluster_id is null or g.map_x is null
         order by v.media_id', at) using encoder;
end
$$;
comment on function smartdb.graph_gap(text) is
    'Media with a vector that are not in the graph yet (new), lost a neighbour whose vector went (lost edge), or have no '
    'cluster or no place on the map (not placed); empty when all is done. SD001 for an unknown encoder.';

-- example:
--   select media_id, reason from smartdb.graph_gap('tiny')
-- result:
--   10 | new
