-- What a pruning leaves out, and why.
create function smartdb.pruning_excluded(pruning_id bigint, keep double precision default null)
returns table (
    media_id bigint, rank integer, score double precision, reason text, kept_by bigint, uri text
)
language sql stable rows 100000
begin atomic
    select i.media_id, i.rank, i.score, i.reason, i.kept_by, m.uri
    from smartdb.pruning_item as i
    join smartdb.media as m on m.media_id = i.media_id
    where i.pruning_id = pruning_excluded.pruning_id
        and i.rank > smartdb.pruning_size(pruning_excluded.pruning_id, keep);
end;
comment on function smartdb.pruning_excluded(bigint, double precision) is
    'The media that a pruning leaves out at a fraction (default: those that the method itself does), each with the reason. '
    'Nothing is deleted. Errors are those of pruning_size.';

-- example:
--   select media_id, reason, kept_by from smartdb.pruning_excluded(1) order by rank
-- result:
--   7 | cosine distance 0.003 to one of its cluster that is kept longer | 8
--   2 | cosine distance 0.001 to one of its cluster that is kept longer | 1
