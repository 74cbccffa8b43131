-- Detections in order of confidence, with how many were right and counted until then.
create function smartdb.detection_count(
    run bigint, iou double precision default 0.5, area text default 'all',
    max_detections integer default 100, predicate text default 'true'
)
returns table (
    class_id bigint, level integer, confidence real, predicted_label_id bigint, is_right boolean,
    n_right bigint, n_counted bigint
)
language plpgsql stable rows 100000 as $$
#variable_conflict use_column
declare
    bits constant integer[] := case
        when iou is null then array[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
        else array[round((iou - 0.5) * 20)::integer]
    end;
    place constant integer := array_position(array['all', 'small', 'medium', 'large'], area);
begin
    if place is null then
        raise exception 'no area %', coalesce(area, 'null')
            using errcode = 'SD002', hint = 'say all, small, medium or large';
    elsif bits[1] not between 0 and 9 or abs(0.5 + bits[1] * 0.05 - coalesce(iou, 0.5)) > 1e-6 then
        raise exception 'detections were not matched at IoU %', iou
            using errcode = 'SD002', hint = 'say one of 0.5, 0.55, ... 0.95, or null for their mean';
    elsif not exists (select from smartdb.detection_evaluation as e where e.run_id = run) then
        raise exception 'run % evaluated no detections', run
            using errcode = 'SD001', hint = 'see: select * from smartdb.detection_evaluation';
    end if;
    return query
    with chosen as materialized (select w.media_id from smartdb.media_where(predicate) as w)
    select
        m.class_id, b.level, m.confidence, m.predicted_label_id, (m.right_at[place] >> b.level) & 1 = 1,
        sum((m.right_at[place] >> b.level) & 1) over best_first, count(*) over best_first
    from smartdb.detection_match as m
    cross join unnest(bits) as b (level)
    where
        m.run_id = run and m.rank < max_detections and (m.ignored_at[place] >> b.level) & 1 = 0
        and (predicate = 'true' or m.media_id in (select c.media_id from chosen as c))
    window best_first as (
        partition by m.class_id, b.level order by m.confidence desc, m.media_id, m.rank rows unbounded preceding
    );
end
$$;
comment on function smartdb.detection_count(bigint, double precision, text, integer, text) is
    'Detections of an evaluation that count, the most confident first in each class, with how many were right (n_right) of '
    'how many (n_counted) until then. iou null gives each of 0.5 to 0.95, level 0 to 9. SD001 no such evaluation, SD002 another iou or area.';

-- example:
--   select class_id, confidence, is_right, n_right, n_counted from smartdb.detection_count(
--   (select max(e.run_id) from smartdb.detection_evaluation as e)) order by class_id
-- result:
--   2 | 0.6 | True | 1 | 1
--   3 | 0.5 | False | 0 | 1
