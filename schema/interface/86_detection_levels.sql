-- The places of an IoU in the bits of detection_match; what all functions about an evaluation ask first.
create function smartdb.detection_levels(run bigint, iou double precision) returns integer[]
language plpgsql stable as $$
declare
    level constant integer := round((iou - 0.5) * 20);
begin
    if iou is not null and (level not between 0 and 9 or abs(0.5 + level * 0.05 - iou) > 1e-6) then
        raise exception 'detections were not matched at IoU %', iou
            using errcode = 'SD002', hint = 'say one of 0.5, 0.55, ... 0.95, or null for their mean';
    elsif not exists (select from smartdb.detection_evaluation as e where e.run_id = run) then
        raise exception 'run % evaluated no detections', run
            using errcode = 'SD001', hint = 'see: select * from smartdb.detection_evaluation';
    end if;
    return case when iou is null then array[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] else array[level] end;
end
$$;
comment on function smartdb.detection_levels(bigint, double precision) is
    'Which bits of smartdb.detection_match and detection_truth an IoU means: 0 for 0.5, 1 for 0.55, ... 9 for 0.95; all for null. '
    'SD001 no such evaluation, SD002 another IoU.';

-- example:
--   select smartdb.detection_levels(e.run_id, 0.75) from smartdb.detection_evaluation as e
-- result:
--   [5]
