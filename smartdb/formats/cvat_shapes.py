"""The shapes of CVAT: from an element to the geometry of a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smartdb.formats import masks
from smartdb.formats.base import Kind
from smartdb.formats.decimals import decimal, difference
from smartdb.formats.geometry import Box, bounds
from smartdb.formats.rotated import Rectangle
from smartdb.formats.xml_nodes import Node

SHAPES = ("box", "polygon", "polyline", "points", "ellipse", "mask", "skeleton")
LEAST = {"polygon": 3, "polyline": 2, "points": 1}

Geometry = tuple[Kind, Box, dict[str, Any] | None]
Size = tuple[int, int]


def read(node: Node, size: Size | None, names: Sequence[str] = ()) -> Geometry:
    """Kind, box and shape of an element; ``names`` are a skeleton's points in their order.

    ValueError says what is wrong with it.
    """
    if node.tag == "box":
        return _box(node)
    if node.tag == "ellipse":
        cx, cy, rx, ry = (number(node, each) for each in ("cx", "cy", "rx", "ry"))
        return _turned(Rectangle(cx, cy, 2 * rx, 2 * ry, number(node, "rotation", "0") or 360.0))
    if node.tag == "mask":
        return ("mask", *_mask(node, size))
    if node.tag == "skeleton":
        return keypoints(_elements(node, names))
    points = [[float(decimal(each)) for each in pair] for pair in _pairs(node)]
    if len(points) < LEAST[node.tag]:
        raise ValueError(f"a {node.tag} of {len(points)} points")
    if node.tag == "points":
        return keypoints([[x, y, 2] for x, y in points])
    if node.tag == "polygon":
        return "polygon", bounds(points), {"polygons": [[points]]}
    return "polyline", bounds(points), {"points": points}


def keypoints(points: list[list[float]]) -> Geometry:
    """Keypoints, in the bounds of those that are there."""
    there = [point for point in points if point[2]] or points
    if not points:
        raise ValueError("a skeleton without points")
    return "keypoints", bounds(there), {"points": points}


def state(node: Node) -> list[float]:
    """[x, y, visibility] of a point of a skeleton: outside is 0, occluded is 1."""
    pairs = _pairs(node)
    if len(pairs) != 1:
        raise ValueError(f"the point {node.attributes.get('label')!r} of a skeleton is none")
    visibility = 0 if is_set(node, "outside") else 1 if is_set(node, "occluded") else 2
    x, y = (float(decimal(each)) for each in pairs[0])
    return [x, y, visibility]


def number(node: Node, name: str, default: str | None = None) -> float:
    """An attribute that is a number; ValueError if it is none or missing."""
    found = node.attributes.get(name, default)
    if found is None:
        raise ValueError(f"<{node.tag}> has no {name}")
    return float(decimal(found))


def is_set(node: Node, name: str) -> bool:
    """Whether a flag is 1."""
    return node.attributes.get(name, "0") not in ("0", "", "False", "false")


def _pairs(node: Node) -> list[list[str]]:
    pairs = [pair.split(",") for pair in node.attributes.get("points", "").split(";") if pair]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"the points of a {node.tag} are not pairs")
    return pairs


def _box(node: Node) -> Geometry:
    left, top, right, bottom = (node.attributes.get(e, "") for e in ("xtl", "ytl", "xbr", "ybr"))
    w, h = difference(right, left), difference(bottom, top)
    degrees = number(node, "rotation", "0")
    if degrees and w > 0 and h > 0:
        x, y = float(decimal(left)), float(decimal(top))
        return _turned(Rectangle(x + w / 2, y + h / 2, w, h, degrees))
    return "box", (float(decimal(left)), float(decimal(top)), w, h), None


def _turned(rectangle: Rectangle) -> Geometry:
    corners = rectangle.corners()
    return "rotated_box", bounds(corners), {"corners": corners}


def _mask(node: Node, size: Size | None) -> tuple[Box, dict[str, Any]]:
    if size is None:
        raise ValueError("a mask in a picture whose size is not said")
    left, top, width, height = (
        int(number(node, each)) for each in ("left", "top", "width", "height")
    )
    counts = [int(count) for count in node.attributes.get("rle", "").split(",")]
    part = masks.of_rows(counts, width, height)
    return masks.of_pixels(masks.placed(part, left, top, size))


def _elements(node: Node, names: Sequence[str]) -> list[list[float]]:
    """The points of a skeleton in the order of their names; one that is missing is 0, 0, 0."""
    found = {each.attributes.get("label", ""): state(each) for each in node.all("points")}
    unknown = [name for name in found if names and name not in names]
    if unknown:
        raise ValueError(f"the skeleton has no point {unknown[0]!r}")
    return [found.get(name, [0.0, 0.0, 0]) for name in names] if names else list(found.values())
