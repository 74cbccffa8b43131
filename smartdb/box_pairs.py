"""Pairs of boxes on the same media, and how far they overlap, for millions of boxes in NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PAIRS = 2_000_000
"""Pairs that are looked at together: about 200 MB."""


@dataclass(frozen=True)
class Boxes:
    """Boxes of many media: ``media_ids``, ``class_ids``, ``confidence`` (n,) and ``xywh`` (n, 4).

    Pixels of the upright image; confidence from 0 to 1, and 1 where a person was not asked.
    """

    media_ids: Ints
    class_ids: Ints
    xywh: Floats
    confidence: Floats

    def __len__(self) -> int:
        return len(self.media_ids)

    def only(self, rows: NDArray[Any]) -> Boxes:
        """Some of the boxes, by index or by a mask."""
        return Boxes(*(value[rows] for value in vars(self).values()))


@dataclass(frozen=True)
class Pairs:
    """Box ``a`` of the one and ``b`` of the other lie on the same media: indices, and their IoU."""

    a: Ints
    b: Ints
    iou: Floats

    def where(self, rows: NDArray[np.bool_]) -> Pairs:
        """Those of the pairs."""
        return Pairs(self.a[rows], self.b[rows], self.iou[rows])


def pairs(one: Boxes, other: Boxes, n: int = PAIRS) -> Iterator[Pairs]:
    """Every pair of a box of the one and a box of the other on the same media, some ``n`` at once.

    All pairs of a box of the one come together.
    """
    order = np.argsort(other.media_ids, kind="stable")
    lying = other.media_ids[order]
    start = np.searchsorted(lying, one.media_ids, "left")
    count = np.searchsorted(lying, one.media_ids, "right") - start
    for rows in _batches(count, n):
        a = np.repeat(rows, count[rows])
        within = np.arange(len(a)) - np.repeat(np.cumsum(count[rows]) - count[rows], count[rows])
        b = order[start[a] + within]
        yield Pairs(a, b, iou(one.xywh[a], other.xywh[b]))


def iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes (..., 4) of x, y, w, h, where these are broadcast (...)."""
    left_top = np.maximum(a[..., :2], b[..., :2])
    right_bottom = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    shared = np.prod(np.maximum(right_bottom - left_top, 0), axis=-1)
    union = np.prod(a[..., 2:], axis=-1) + np.prod(b[..., 2:], axis=-1) - shared
    return np.asarray(shared / np.maximum(union, 1e-6))


def touching(one: Boxes, other: Boxes) -> tuple[Pairs, Pairs]:
    """The pairs that overlap: of the same class, and of different ones."""
    near, far = [], []
    for each in pairs(one, other):
        some = each.where(each.iou > 0)
        is_same = one.class_ids[some.a] == other.class_ids[some.b]
        near.append(some.where(is_same))
        far.append(some.where(~is_same))
    return joined(near), joined(far)


def matched(found: Pairs, floor: float) -> Pairs:
    """One to one: the pairs that overlap most, then those of what is left, down to an IoU."""
    left, kept = found.where(found.iou >= floor), []
    order = np.lexsort((left.b, left.a, -left.iou))
    left = Pairs(left.a[order], left.b[order], left.iou[order])
    while len(left.a):
        first_of_a = np.unique(left.a, return_index=True)[1]
        first_of_b = np.unique(left.b, return_index=True)[1]
        best = np.intersect1d(first_of_a, first_of_b)  # each is the other's best
        kept.append(Pairs(left.a[best], left.b[best], left.iou[best]))
        is_left = ~(np.isin(left.a, left.a[best]) | np.isin(left.b, left.b[best]))
        left = left.where(is_left)
    return joined(kept)


def nearest(rows: Ints, iou: Floats, n: int) -> tuple[Floats, Ints]:
    """For each of ``n`` boxes its largest IoU, 0 for none, and with which of the pairs, -1: none.

    ``rows`` are the boxes of the pairs. Of equal ones the last counts.
    """
    best, at = np.zeros(n), np.full(n, -1)
    order = np.argsort(iou, kind="stable")  # the largest is written last
    best[rows[order]], at[rows[order]] = iou[order], order
    return best, at


def joined(parts: list[Pairs]) -> Pairs:
    """All of the pairs."""
    if not parts:
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    return Pairs(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("a", "b", "iou")))


def _batches(count: Ints, n: int) -> Iterator[Ints]:
    """Indices of boxes in turn, as many as have some n pairs together."""
    ends = np.cumsum(count)
    start = 0
    while start < len(count):
        done = ends[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ends, done + n, "right")))
        yield np.arange(start, end)
        start = end
