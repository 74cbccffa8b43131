"""Shapes: bounding boxes, checks that a label's geometry can be, and run lengths of masks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Box = tuple[float, float, float, float]
Point = Sequence[float]


def bounds(points: Iterable[Point]) -> Box:
    """The bounding box (x, y, w, h) of points; ValueError for none."""
    xs, ys = zip(*((p[0], p[1]) for p in points), strict=True)
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def compressed(segmentation: Mapping[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    """A mask as compressed run lengths {"size": [h, w], "counts": text}, from a list or a text.

    ``size`` is (width, height), for a mask that tells none. ValueError if the runs are not as long
    as the picture has pixels, which a decoder in C would not notice.
    """
    from pycocotools import mask

    counts = segmentation["counts"]
    height, width = (int(n) for n in segmentation.get("size", (size[1], size[0])))
    runs = counts if isinstance(counts, list) else run_lengths(counts)
    if any(type(n) is not int or n < 0 for n in runs) or sum(runs) != height * width:
        raise ValueError(f"the run lengths of its mask do not make up {width} x {height} pixels")
    if isinstance(counts, list):
        whole = {"size": [height, width], "counts": counts}
        counts = mask.frPyObjects(whole, height, width)["counts"]
    text = counts.decode("ascii") if isinstance(counts, bytes) else counts
    return {"size": [height, width], "counts": text}


def run_lengths(counts: str | bytes) -> list[int]:
    """The run lengths that a compressed text stands for; ValueError if it is none.

    >>> run_lengths("05")
    [0, 5]
    """
    data = counts.encode() if isinstance(counts, str) else bytes(counts)
    runs: list[int] = []
    value = shift = 0
    for byte in data:
        bits = byte - 48
        if not 0 <= bits < 64:
            raise ValueError("the run lengths of its mask are no such text")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        value -= (1 << shift) if bits & 16 else 0
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("the run lengths of its mask end in the middle")
    return runs
