"""The regions of Label Studio: a result's value in percent and the geometry of a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smartdb.formats import brush, masks
from smartdb.formats.base import Annotation, Kind
from smartdb.formats.geometry import Box, bounds
from smartdb.formats.percent import percent, pixels
from smartdb.formats.rotated import Rectangle, at_anchor, of_corners

SHAPES = ("rectangle", "polygon", "ellipse", "keypoint", "brush")
"""Kinds of region; as a type of result they also end in "labels"."""

Size = tuple[int, int]
Geometry = tuple[Kind, Box, dict[str, Any] | None, dict[str, Any]]
"""Kind, box, shape, and what else is said, for the attributes."""


def shape_of(type_: str) -> str | None:
    """The kind of region that a result's type is; None for others, such as choices."""
    plain = type_.removesuffix("labels")
    return plain if plain in SHAPES else None


def read(shape: str, value: Mapping[str, Any], size: Size) -> Geometry:
    """The geometry of a region in a picture of size (width, height).

    ValueError or KeyError says what is wrong with it.
    """
    width, height = size
    if shape == "polygon":
        return _polygon(value, size)
    if shape == "brush":
        if value.get("format") != "rle":
            raise ValueError(f"a brush in the format {value.get('format')!r}")
        return "mask", *masks.of_pixels(brush.decode(value["rle"], width, height)), {}
    x, y = pixels(value["x"], width), pixels(value["y"], height)
    if shape == "keypoint":
        more = {"point_size": float(value["width"])} if value.get("width") else {}
        return "keypoints", (x, y, 0.0, 0.0), {"points": [[x, y, 2]]}, more
    degrees = float(value.get("rotation") or 0)
    if shape == "ellipse":
        w, h = 2 * pixels(value["radiusX"], width), 2 * pixels(value["radiusY"], height)
        return _turned(Rectangle(x, y, w, h, degrees or 360.0), {"ellipse": True})
    w, h = pixels(value["width"], width), pixels(value["height"], height)
    if degrees:
        return _turned(at_anchor(x, y, w, h, degrees), {})
    return "box", (x, y, w, h), None, {}


def write(annotation: Annotation, size: Size) -> tuple[str, dict[str, Any]] | None:
    """The kind of region and its value without labels; None if there is none for this label."""
    width, height = size
    shape, kind = annotation.shape or {}, annotation.kind
    if kind == "box" and annotation.box:
        x, y, w, h = annotation.box
        said = {"x": percent(x, width), "y": percent(y, height)}
        return "rectangle", {
            **said, "width": percent(w, width), "height": percent(h, height), "rotation": 0
        }  # fmt: skip
    if kind == "polygon" and len(shape["polygons"]) == 1 and len(shape["polygons"][0]) == 1:
        return "polygon", {"points": _percents(shape["polygons"][0][0], size), "closed": True}
    if kind == "polyline":
        return "polygon", {"points": _percents(shape["points"], size), "closed": False}
    if kind == "mask" and tuple(shape["size"]) == (height, width):
        return "brush", {"format": "rle", "rle": brush.encode(masks.to_pixels(shape))}
    if kind == "keypoints" and len(shape["points"]) == 1 and shape["points"][0][2] == 2:
        x, y, _ = shape["points"][0]
        point_size = annotation.attributes.get("point_size", 0.5)
        return "keypoint", {"x": percent(x, width), "y": percent(y, height), "width": point_size}
    if kind == "rotated_box":
        return _rotated(shape["corners"], size, annotation.attributes.get("ellipse") is True)
    return None


def _polygon(value: Mapping[str, Any], size: Size) -> Geometry:
    points = [[pixels(x, size[0]), pixels(y, size[1])] for x, y in value["points"]]
    is_open = value.get("closed") is False
    if len(points) < (2 if is_open else 3):
        raise ValueError(f"a polygon of {len(points)} points")
    if is_open:
        return "polyline", bounds(points), {"points": points}, {}
    return "polygon", bounds(points), {"polygons": [[points]]}, {}


def _turned(rectangle: Rectangle, more: dict[str, Any]) -> Geometry:
    corners = rectangle.corners()
    return "rotated_box", bounds(corners), {"corners": corners}, more


def _percents(points: Sequence[Sequence[float]], size: Size) -> list[list[Any]]:
    return [[percent(p[0], size[0]), percent(p[1], size[1])] for p in points]


def _rotated(
    corners: Sequence[Sequence[float]], size: Size, is_ellipse: bool
) -> tuple[str, dict[str, Any]] | None:
    found = of_corners(corners)
    if found is None:
        return None
    width, height = size
    x, y = (found.cx, found.cy) if is_ellipse else found.anchor
    sides = ("radiusX", "radiusY") if is_ellipse else ("width", "height")
    part = 2 if is_ellipse else 1
    return "ellipse" if is_ellipse else "rectangle", {
        "x": percent(x, width),
        "y": percent(y, height),
        sides[0]: percent(found.w / part, width),
        sides[1]: percent(found.h / part, height),
        "rotation": found.degrees,
    }
