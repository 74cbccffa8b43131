-- What a pruning keeps.
create function smartdb.pruning_kept(pruning_id bigint, keep double precision default null)
returns table (media_id bigint, rank integer, score double precision, reason text)
language sql stable rows 100000
begin atomic
    select i.media_id, i.rank, i.score, i.reason
    from smartdb.pruning_item as i
    where i.pruning_id = pruning_kept.pruning_id
        and i.rank <= smartdb.pruning_size(pruning_kept.pruning_id, keep);
end;
comment on function smartdb.pruning_kept(bigint, double precision) is
    'The media that a pruning keeps at a fraction (default: those that the method itself keeps). A predicate of it: '
    'm.media_id in (select media_id from smartdb.pruning_kept(1, keep => 0.1)). Errors are those of pruning_size.';

-- example:
--   select media_id, rank from smartdb.pruning_kept(1, keep => 0.25) order by rank
-- result:
--   5 | 1
--   8 | 2
