-- Intersection over union of two boxes.
create function smartdb.box_iou(
    ax double precision, ay double precision, aw double precision, ah double precision,
    bx double precision, by_ double precision, bw double precision, bh double precision
)
returns double precision
language sql immutable parallel safe
begin atomic
    select s.shared / nullif(aw * ah + bw * bh - s.shared, 0)
    from (
        select
            greatest(0, least(ax + aw, bx + bw) - greatest(ax, bx))
            * greatest(0, least(ay + ah, by_ + bh) - greatest(ay, by_)) as shared
    ) as s;
end;
comment on function smartdb.box_iou(
    double precision, double precision, double precision, double precision,
    double precision, double precision, double precision, double precision
) is 'Intersection over union of two boxes, each x, y (left top), w, h; 0 to 1, null for two boxes without area.';

-- example:
--   select smartdb.box_iou(0, 0, 10, 10, 5, 0, 10, 10)
-- result:
--   0.3333
