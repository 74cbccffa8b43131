"""Outlines: the labels of a picture while its pixels are moved, in the geometry of core.label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.formats import masks
from smartdb.formats.geometry import Box, bounds

Points = NDArray[np.float64]
Size = tuple[int, int]

LEAST = 1.0
"""A box of which less than this many pixels are left on a side is gone."""


@dataclass(frozen=True)
class Outline:
    """A label: ``kind``, ``box`` and ``shape`` as in core.label, and ``row``, what else it says.

    ``keypoints`` are the names of its points, if its class tells them.
    """

    kind: str
    box: Box | None = None
    shape: Mapping[str, Any] | None = None
    keypoints: Sequence[str] = ()
    row: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pixels(self) -> NDArray[np.bool_] | None:
        """Of a mask, its pixels (h, w)."""
        return masks.to_pixels(self.shape) if self.kind == "mask" and self.shape else None


def points_of(outline: Outline) -> Points:
    """The points (n, 2) that say where it is; none of a mask or what is about the whole picture."""
    shape = outline.shape or {}
    if outline.kind == "box" and outline.box:
        x, y, w, h = outline.box
        return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
    if outline.kind == "polygon":
        rings = [point for polygon in shape["polygons"] for ring in polygon for point in ring]
        return _array(rings)
    found = {"rotated_box": "corners", "polyline": "points", "keypoints": "points"}
    return _array(shape[found[outline.kind]] if outline.kind in found else [])


def moved(outline: Outline, points: Points, size: Size, is_mirrored: bool) -> Outline | None:
    """The label with its points at new places, clipped at a picture of ``size``; None: it is gone.

    A box becomes the box around its corners, a rotated one the smallest rotated box around its own.
    Of a polyline the longest part within the picture is left. Keypoints outside count as not
    labelled (0, 0, 0); in a mirrored picture left and right change their places, and where the
    class does not name its points they are gone, for they would say the wrong.
    """
    if outline.kind == "box":
        return _boxed(outline, clipped_box(bounds(points.tolist()), size), None)
    if outline.kind == "rotated_box":
        corners = smallest_rectangle(points)
        inside = clip_ring(corners.tolist(), size)
        return _boxed(outline, bounds(inside), {"corners": corners.tolist()}) if inside else None
    if outline.kind == "polygon":
        return _polygon(outline, points, size)
    if outline.kind == "polyline":
        line = longest_inside(points, size)
        return _boxed(outline, bounds(line), {"points": line}, 0.0) if len(line) > 1 else None
    return _keypoints(outline, points, size, is_mirrored)


def of_mask(outline: Outline, pixels: NDArray[np.bool_]) -> Outline | None:
    """The label as a mask of these pixels (h, w); None if there are none."""
    if not pixels.any():
        return None
    box, shape = masks.of_pixels(pixels)
    return replace(outline, kind="mask", box=box, shape=shape)


def filled(outline: Outline, size: Size) -> NDArray[np.bool_]:
    """The pixels (h, w) that a label of `copy_paste.PASTED` covers in a picture of ``size``."""
    from PIL import Image, ImageDraw

    pixels = outline.pixels
    if pixels is not None:
        return pixels
    canvas = Image.new("1", size)
    draw = ImageDraw.Draw(canvas)
    rings = [points_of(outline).tolist()] if outline.kind != "polygon" else []
    for polygon in (outline.shape or {})["polygons"] if outline.kind == "polygon" else []:
        rings.append(polygon[0])
    for ring in rings:  # a pixel belongs to it if its centre does
        draw.polygon([(x - 0.5, y - 0.5) for x, y in ring], fill=1)
    if outline.kind == "polygon":
        for polygon in (outline.shape or {})["polygons"]:
            for hole in polygon[1:]:
                draw.polygon([(x - 0.5, y - 0.5) for x, y in hole], fill=0)
    return np.asarray(canvas, dtype=np.bool_)


def clipped_box(box: Box, size: Size) -> Box:
    """The part of a box within a picture; its width or height is not positive if there is none."""
    x, y = max(0.0, box[0]), max(0.0, box[1])
    return x, y, min(size[0], box[0] + box[2]) - x, min(size[1], box[1] + box[3]) - y


def clip_ring(ring: Sequence[Sequence[float]], size: Size) -> list[list[float]]:
    """The part of a ring within a picture (Sutherland and Hodgman 1974); empty if there is none."""
    found = [[float(p[0]), float(p[1])] for p in ring]
    for axis, bound, sign in ((0, 0, 1), (0, size[0], -1), (1, 0, 1), (1, size[1], -1)):
        before, found = found, []
        for a, b in zip(before, before[1:] + before[:1], strict=True):
            da, db = sign * (a[axis] - bound), sign * (b[axis] - bound)
            if da >= 0:
                found.append(a)
            if (da > 0 > db) or (da < 0 < db):
                share = da / (da - db)
                found.append([a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])])
    return found if len(found) > 2 and _area(found) > 0 else []


def longest_inside(points: Points, size: Size) -> list[list[float]]:
    """The longest connected part of a line within a picture."""
    parts: list[list[list[float]]] = [[]]
    for a, b in pairwise(points):
        piece = _segment(a, b, size)
        if piece is None:
            parts.append([])
            continue
        if not parts[-1] or not np.allclose(parts[-1][-1], piece[0]):
            parts.append([piece[0]])
        parts[-1].append(piece[1])
    return max(parts, key=_length)


def smallest_rectangle(points: Points) -> Points:
    """The corners (4, 2) of the smallest rectangle around four points that has a side of theirs."""
    best: tuple[float, Points] | None = None
    for a, b in zip(points, np.roll(points, -1, axis=0), strict=True):
        length = np.hypot(*(b - a))
        if not length:
            continue
        along = (b - a) / length
        axes = np.array([along, [-along[1], along[0]]])
        turned = points @ axes.T
        (x0, y0), (x1, y1) = turned.min(axis=0), turned.max(axis=0)
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) @ axes
        area = float((x1 - x0) * (y1 - y0))
        if best is None or area < best[0] - 1e-6:
            best = (area, corners)
    return points if best is None else best[1]


def _polygon(outline: Outline, points: Points, size: Size) -> Outline | None:
    rest = iter(points.tolist())
    polygons = []
    for polygon in (outline.shape or {})["polygons"]:
        rings = [clip_ring([next(rest) for _ in ring], size) for ring in polygon]
        if rings[0]:
            polygons.append([rings[0], *(hole for hole in rings[1:] if hole)])
    if not polygons:
        return None
    box = bounds(point for polygon in polygons for point in polygon[0])
    return _boxed(outline, box, {**(outline.shape or {}), "polygons": polygons})


def _keypoints(outline: Outline, points: Points, size: Size, is_mirrored: bool) -> Outline | None:
    if is_mirrored and not outline.keypoints:
        return None
    old = (outline.shape or {})["points"]
    found = [
        [x, y, v] if v and 0 <= x <= size[0] and 0 <= y <= size[1] else [0, 0, 0]
        for (x, y), (_, _, v) in zip(points.tolist(), old, strict=True)
    ]
    if is_mirrored:
        found = [found[at] for at in _swapped(outline.keypoints, len(found))]
    seen = [point for point in found if point[2]]
    if not seen:
        return None
    return _boxed(outline, bounds(seen), {"points": found}, 0.0)


def _swapped(names: Sequence[str], n: int) -> list[int]:
    """For each point the one that takes its place in the mirror."""
    other = {"left": "right", "right": "left"}
    places = {name: at for at, name in enumerate(names)}
    found = []
    for at in range(n):
        name = names[at] if at < len(names) else ""
        twin = name
        for side, instead in other.items():
            if side in name:
                twin = name.replace(side, instead)
                break
        found.append(places.get(twin, at))
    return found


def _boxed(
    outline: Outline, box: Box, shape: Mapping[str, Any] | None, least: float = LEAST
) -> Outline | None:
    if box[2] < least or box[3] < least:
        return None
    return replace(outline, box=box, shape=outline.shape if shape is None else shape)


def _segment(a: Points, b: Points, size: Size) -> list[list[float]] | None:
    """The part of a segment within a picture (Liang and Barsky 1984)."""
    start, end = 0.0, 1.0
    delta = b - a
    for axis in (0, 1):
        if not delta[axis]:
            if not 0 <= a[axis] <= size[axis]:
                return None
            continue
        low, high = sorted(((0 - a[axis]) / delta[axis], (size[axis] - a[axis]) / delta[axis]))
        start, end = max(start, low), min(end, high)
    return [(a + start * delta).tolist(), (a + end * delta).tolist()] if start < end else None


def _length(line: Sequence[Sequence[float]]) -> float:
    return float(sum(np.hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(line)))


def _area(ring: Sequence[Sequence[float]]) -> float:
    x, y = np.array(ring).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _array(points: Iterable[Sequence[float]]) -> Points:
    return np.array([[p[0], p[1]] for p in points], np.float64).reshape(-1, 2)
