"""Shapes: bounding boxes, checks that a label's geometry can be, and run lengths of masks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Box = tuple[float, float, float, float]
Point = Sequence[float]


def bounds(points: Iterable[Point]) -> Box:
    """The bounding box (x, y, w, h) of points; ValueError for none."""
    xs, ys = zip(*((p[0], p[1]) for p in points), strict=True)
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def problem_of(box: Box, size: tuple[int, int] | None, *, flat: bool = False) -> str | None:
    """The code of what is wrong with a box: not_a_number, zero_size, outside; None is nothing.

    ``flat`` allows a width or height of 0, as of a horizontal line. ``outside`` is when any part
    lies out of the picture by more than a thousandth of a pixel.
    """
    if not all(math.isfinite(value) for value in box):
        return "not_a_number"
    x, y, w, h = box
    if w < 0 or h < 0 or (not flat and (w == 0 or h == 0)):
        return "zero_size"
    if size and (x < -1e-3 or y < -1e-3 or x + w > size[0] + 1e-3 or y + h > size[1] + 1e-3):
        return "outside"
    return None


def compressed(segmentation: Mapping[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    """A mask as compressed run lengths {"size": [h, w], "counts": text}, from a list or a text."""
    from pycocotools import mask

    counts = segmentation["counts"]
    height, width = segmentation.get("size", (size[1], size[0]))
    if isinstance(counts, list):
        counts = mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)[
            "counts"
        ]
    text = counts.decode("ascii") if isinstance(counts, bytes) else str(counts)
    return {"size": [int(height), int(width)], "counts": text}
