-- Annotating: geometry of labels. Points are parsed by the server's own geometric types, so that a
-- check of a long outline costs little more than reading it.

create function core.path_of(points jsonb) returns path
language sql immutable strict parallel safe
return translate(points::text, '[] ', '()')::path;
comment on function core.path_of(jsonb) is
    'The closed path through points [[x, y], ...]; an error if they are no such list.';

create function core.mask_facts(height integer, counts text) returns bigint[]
language plpgsql immutable strict parallel safe as $$
declare
    data constant bytea := convert_to(counts, 'UTF8');
    bits integer;
    shift integer := 0;
    value bigint := 0;
    run bigint := 0;  -- the last run, the one before it, and the one before that
    before bigint := 0;
    long_before bigint := 0;
    n_runs integer := 0;
    at bigint := 0;  -- pixels so far, column by column
    n_set bigint := 0;
    x0 bigint;
    x1 bigint := 0;
    y0 bigint := height;
    y1 bigint := 0;
begin
    for i in 0 .. octet_length(data) - 1 loop
        bits := get_byte(data, i) - 48;
        if bits not between 0 and 63 or shift > 40 then
            return null;
        end if;
        value := value | ((bits & 31)::bigint << shift);
        shift := shift + 5;
        continue when bits & 32 <> 0;
        if bits & 16 <> 0 then
            value := value - (1::bigint << shift);
        end if;
        long_before := before;
        before := run;
        run := case when n_runs > 2 then value + long_before else value end;
        n_runs := n_runs + 1;
        value := 0;
        shift := 0;
        if run < 0 then
            return null;
        elsif run > 0 and n_runs % 2 = 0 then
            x0 := coalesce(x0, at / height);
            x1 := (at + run - 1) / height + 1;
            if at / height < x1 - 1 then  -- it goes on in the next column
                y0 := 0;
                y1 := height;
            else
                y0 := least(y0, at % height);
                y1 := greatest(y1, at % height + run);
            end if;
            n_set := n_set + run;
        end if;
        at := at + run;
    end loop;
    return case when shift = 0 then array[at, n_set, x0, y0, x1, y1] end;
end
$$;
comment on function core.mask_facts(integer, text) is
    'Of compressed run lengths (COCO''s, column by column): how many pixels they make up, how many of these are in the mask, and '
    'its left, top, right and bottom edge (null, the height, 0, 0 if none are). Null if they are no run lengths.';

create function core.bounds_of(kind text, shape jsonb) returns double precision[]
language plpgsql immutable strict parallel safe as $$
declare
    points jsonb;
    facts bigint[];
    bounds box;
begin
    if kind = 'mask' then
        facts := core.mask_facts((shape #>> '{size,0}')::integer, shape ->> 'counts');
        return array[facts[3], facts[4], facts[5] - facts[3], facts[6] - facts[4]];
    end if;
    points := case kind
        when 'polygon' then jsonb_path_query_array(shape, '$.polygons[*][0][*]')
        when 'rotated_box' then shape -> 'corners'
        when 'polyline' then shape -> 'points'
        when 'keypoints' then (
            select jsonb_agg(jsonb_build_array(p.point -> 0, p.point -> 1))
            from jsonb_array_elements(shape -> 'points') as p (point) where (p.point ->> 2)::numeric > 0)
    end;
    bounds := box(polygon(core.path_of(points)));
    return array[(bounds[1])[0], (bounds[1])[1], (bounds[0])[0] - (bounds[1])[0], (bounds[0])[1] - (bounds[1])[1]];
end
$$;
comment on function core.bounds_of(text, jsonb) is
    'The bounding box {x, y, w, h} of a shape, of keypoints that of the labelled ones; null if there is none. An error if it is no '
    'shape of this kind: ask core.shape_problem first.';

create function core.shape_problem(
    kind text, x double precision, y double precision, w double precision, h double precision, shape jsonb
)
returns text
language plpgsql immutable parallel restricted as $$
declare
    outline path;
    facts bigint[];
    bounds double precision[];
begin
    if kind in ('classification', 'box', 'relation') then
        return case when shape is not null then 'a ' || kind || ' has no shape' end;
    elsif jsonb_typeof(shape) is distinct from 'object' then
        return 'its shape is missing';
    elsif kind = 'caption' then
        return case when jsonb_typeof(shape -> 'text') is distinct from 'string' then 'its text is missing: {"text": ...}' end;
    elsif kind = 'mask' then
        if not coalesce(shape @? 'strict $.size ? (@.type() == "array" && @.size() == 2 && @[0] >= 1 && @[1] >= 1 && @[0] * @[1] < 4294967296)', false)
            or jsonb_typeof(shape -> 'counts') is distinct from 'string' then
            return 'a mask is {"size": [height, width], "counts": compressed run lengths of COCO}';
        end if;
        facts := core.mask_facts((shape #>> '{size,0}')::integer, shape ->> 'counts');
        if facts is null or facts[1] <> (shape #>> '{size,0}')::bigint * (shape #>> '{size,1}')::bigint then
            return format('the run lengths of its mask do not make up %s x %s pixels', shape #>> '{size,1}', shape #>> '{size,0}');
        elsif facts[2] = 0 then
            return 'there is no pixel in its mask';
        end if;
        bounds := array[facts[3], facts[4], facts[5] - facts[3], facts[6] - facts[4]];
    elsif kind = 'polygon' then
        if not shape @? '$.polygons[0][0][0]' or jsonb_typeof(shape -> 'polygons') <> 'array' then
            return 'a polygon is {"polygons": [[outer ring, hole, ...], ...]}, a ring is [[x, y], ...]';
        end if;
        for p in 0 .. jsonb_array_length(shape -> 'polygons') - 1 loop
            for r in 0 .. jsonb_array_length(shape #> array['polygons', p::text]) - 1 loop
                outline := core.path_of(shape #> array['polygons', p::text, r::text]);
                if npoints(outline) < 3 then
                    return 'a ring of its polygon has fewer than three points';
                elsif not area(outline) > 0 then
                    return 'a ring of its polygon has no area';
                end if;
            end loop;
        end loop;
    elsif kind = 'rotated_box' then
        outline := core.path_of(shape -> 'corners');
        if coalesce(npoints(outline), 0) <> 4 then
            return 'a rotated box is {"corners": [[x, y], four times]}';
        elsif not area(outline) > 0 then
            return 'it has no area';
        end if;
    elsif kind = 'polyline' then
        outline := core.path_of(shape -> 'points');
        if coalesce(npoints(outline), 0) < 2 then
            return 'a polyline is {"points": [[x, y], ...]}, two or more';
        elsif not length(outline) > 0 then
            return 'it has no length';
        end if;
    elsif kind = 'keypoints' then
        if coalesce(shape @? 'strict $.points[*] ? (
            @.type() != "array" || @.size() != 3 || @[*].type() != "number" || @[2] < 0 || @[2] > 2)', true) then
            return 'keypoints are {"points": [[x, y, visibility 0 to 2], ...]}';
        end if;
        return null; -- its box may be that of the object
    end if;
    if x is null then
        return null;
    end if;
    bounds := coalesce(bounds, core.bounds_of(kind, shape));
    if greatest(
        abs(bounds[1] - x), abs(bounds[2] - y), abs(bounds[1] + bounds[3] - x - w), abs(bounds[2] + bounds[4] - y - h)
    ) > 1 then
        return format('its box %s is not around its shape, which is in %s', array[x, y, w, h], bounds);
    end if;
    return null;
exception when data_exception then
    return 'its shape holds something else than points [x, y]';
end
$$;
comment on function core.shape_problem(
    text, double precision, double precision, double precision, double precision, jsonb
) is
    'What is wrong with the shape of a label, for a person; null if nothing is. Rings have three points or more and an area, run '
    'lengths make up the size of their mask. If a box is given, it is within a pixel of the one around the shape, save that of '
    'keypoints, which may be that of the object.';

create function core.place_problem(
    kind text, x double precision, y double precision, w double precision, h double precision, shape jsonb, width integer, height integer
)
returns text
language sql immutable parallel safe
return case
    when kind = 'mask' and ((shape #>> '{size,0}')::numeric <> height or (shape #>> '{size,1}')::numeric <> width)
        then format('its mask is %s high and %s wide, but the picture %s and %s', shape #>> '{size,0}', shape #>> '{size,1}', height, width)
    when x < -0.001 or y < -0.001 or x + w > width + 0.001 or y + h > height + 0.001
        then format('its box [%s, %s, %s, %s] lies partly outside of %s x %s', x, y, w, h, width, height)
end;
comment on function core.place_problem(
    text, double precision, double precision, double precision, double precision, jsonb, integer, integer
) is 'In what the place of a label disagrees with the size of its picture, for a person; null if in nothing.';

create function core.points_between(a jsonb, b jsonb, share double precision) returns jsonb
language sql immutable strict parallel safe
begin atomic
    select jsonb_agg(
        case
            when least((p.point ->> 2)::double precision, (q.point ->> 2)::double precision) = 0 then p.point
            else jsonb_build_array(
                (p.point ->> 0)::double precision * (1 - share) + (q.point ->> 0)::double precision * share,
                (p.point ->> 1)::double precision * (1 - share) + (q.point ->> 1)::double precision * share
            ) || case when jsonb_array_length(p.point) > 2 then jsonb_build_array(p.point -> 2) else '[]' end
        end
        order by p.place)
    from jsonb_array_elements(a) with ordinality as p (point, place)
    join jsonb_array_elements(b) with ordinality as q (point, place) using (place);
end;
comment on function core.points_between(jsonb, jsonb, double precision) is
    'The points at a share (0 to 1) of the way from those of one list to those of another as long. A keypoint that is not labelled '
    'at either end stays as it is at the first, and its visibility too.';

create function core.shape_between(kind text, a jsonb, b jsonb, share double precision) returns jsonb
language sql immutable parallel safe
return case
    when a is null or share = 0 then a
    when kind = 'rotated_box' then jsonb_build_object('corners', core.points_between(a -> 'corners', b -> 'corners', share))
    when kind in ('keypoints', 'polyline') and jsonb_array_length(a -> 'points') = jsonb_array_length(b -> 'points')
        then jsonb_build_object('points', core.points_between(a -> 'points', b -> 'points', share))
    else a
end;
comment on function core.shape_between(text, jsonb, jsonb, double precision) is
    'The shape at a share (0 to 1) of the way from one to another of the same kind: corners, keypoints and polylines of as many points '
    'move in straight lines, polygons and masks stay as they are at the first.';
