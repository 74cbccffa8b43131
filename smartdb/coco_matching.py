"""COCO's matching of detections with the truth, for all media at once, in NumPy.

As pycocotools' ``COCOeval.evaluateImg`` (Lin et al. 2014): within a media and class detections
choose by confidence, each the truth that overlaps most and is still free; a crowd takes any number
of them; what is matched with what does not count (a crowd, another size) does not count itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from smartdb.box_pairs import Boxes, Floats, Ints, Pairs, nearest, touching

IOUS = np.linspace(0.5, 0.95, 10)
"""IoU from which a detection is right: bit i of a match is the i-th."""

AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2),
         "large": (96.0**2, 1e10)}  # fmt: skip
"""Sizes in pixels, both ends included, by which COCO tells AP apart."""

MAX_DETECTIONS = 100

Bits = NDArray[np.int16]


@dataclass(frozen=True)
class Truth:
    """What is there: boxes, their area in pixels (that of the outline), and which are a crowd."""

    boxes: Boxes
    area: Floats
    is_crowd: NDArray[np.bool_]


@dataclass(frozen=True)
class Matches:
    """Of each detection (n,) its rank in media and class from 0, bits by area (n, 4), and overlaps.

    Bit i of ``right`` is set if it is matched at IOUS[i], of ``ignored`` if it does not count
    there.
    ``truth`` is the row it is matched with at 0.5, ``rival`` that of another class that overlaps it
    most, -1: none. ``same`` and ``other`` are the largest IoU with any truth of its class, and of
    another. Of each truth (m,) ``found`` has the bits where a detection takes it, and
    ``truth_same``, ``truth_other`` are its largest IoU with a detection of its class, another.
    """

    rank: Ints
    right: Bits
    ignored: Bits
    truth: Ints
    rival: Ints
    same: Floats
    other: Floats
    found: Bits
    truth_same: Floats
    truth_other: Floats


def match(found: Boxes, area: Floats, truth: Truth) -> Matches:
    """Matches detections, whose areas are ``area`` (n,); those of a rank of 100 or more are not."""
    n, t = len(found), len(truth.boxes)
    rank = _ranks(_keys(found), found.confidence)
    near, far = touching(found, truth.boxes)
    near = Pairs(near.a, near.b, _crowded(near, found, truth))
    same, _ = nearest(near.a, near.iou, n)
    other, at = nearest(far.a, far.iou, n)
    chosen = _in_turn(
        near.where((near.iou >= IOUS[0] - 1e-9) & (rank[near.a] < MAX_DETECTIONS)), rank
    )
    right, ignored = np.zeros((n, 4), np.int16), np.zeros((n, 4), np.int16)
    for column, (low, high) in reversed(list(enumerate(AREAS.values()))):
        is_ignored = truth.is_crowd | (truth.area < low) | (truth.area > high)
        taken = _greedy(chosen, rank, is_ignored, truth.is_crowd, n)
        hit = taken >= 0
        lost = hit & np.append(is_ignored, False)[taken]
        outside = ~hit & ((area < low) | (area > high))[:, None]
        right[:, column], ignored[:, column] = _bits(hit), _bits(lost | outside)
    found_at = np.zeros((t, len(IOUS)), bool)  # of the last: all areas
    row, bit = np.nonzero(hit)
    found_at[taken[row, bit], bit] = True
    rival = np.append(far.b, -1)[at]
    truth_same, truth_other = (nearest(each.b, each.iou, t)[0] for each in (near, far))
    return Matches(rank, right, ignored, taken[:, 0], rival, same, other,
                   _bits(found_at), truth_same, truth_other)  # fmt: skip


def _keys(found: Boxes) -> Ints:
    """A number for each media and class (n,)."""
    both = np.stack([found.media_ids, found.class_ids], axis=1)
    return np.unique(both, axis=0, return_inverse=True)[1].ravel()


def _ranks(keys: Ints, confidence: Floats) -> Ints:
    """Place of each detection in its media and class, the most confident 0; ties as they came."""
    order = np.lexsort((np.arange(len(keys)), -confidence, keys))
    ordered = keys[order]
    first = np.searchsorted(ordered, ordered, "left")
    rank = np.zeros(len(keys), np.int64)
    rank[order] = np.arange(len(keys)) - first
    return rank


def _in_turn(near: Pairs, rank: Ints) -> Pairs:
    """By rank, detection, and IoU: in the order in which they are tried."""
    order = np.lexsort((near.b, near.iou, near.a, rank[near.a]))
    return Pairs(near.a[order], near.b[order], near.iou[order])


def _crowded(near: Pairs, found: Boxes, truth: Truth) -> Floats:
    """IoU, but with a crowd the share of the detection that lies in it."""
    own = np.prod(found.xywh[near.a, 2:], axis=1)
    whole = np.prod(truth.boxes.xywh[near.b, 2:], axis=1)
    shared = near.iou * (own + whole) / (1 + near.iou)
    return np.where(truth.is_crowd[near.b], shared / own, near.iou)


def _greedy(
    near: Pairs,
    rank: Ints,
    is_ignored: NDArray[np.bool_],
    is_crowd: NDArray[np.bool_],
    n: int,
) -> Ints:
    """Row of the truth that each detection takes at each IoU (n, 10), -1: none.

    ``near`` comes by rank, detection, IoU: so the last that may be taken is the best.
    """
    taken, is_free = np.full((n, len(IOUS)), -1), np.ones((len(is_crowd), len(IOUS)), bool)
    bounds = np.flatnonzero(np.diff(rank[near.a], prepend=-1, append=-1))
    for start, end in pairwise(bounds):
        a, b, overlap = near.a[start:end], near.b[start:end], near.iou[start:end]
        may = (overlap[:, None] >= IOUS - 1e-10) & (is_free[b] | is_crowd[b, None])
        heads = np.flatnonzero(np.diff(a, prepend=-1))
        best = _last(may & ~is_ignored[b, None], heads)
        best = np.where(best >= 0, best, _last(may, heads))
        row, bit = np.nonzero(best >= 0)
        chosen = b[best[row, bit]]
        taken[a[heads[row]], bit] = chosen
        is_free[chosen, bit] = False
    return taken


def _last(may: NDArray[np.bool_], heads: Ints) -> Ints:
    """The last place of each part that may be taken (parts, 10), -1: none."""
    places = np.where(may, np.arange(len(may))[:, None], -1)
    return np.asarray(np.maximum.reduceat(places, heads, axis=0))


def _bits(flags: NDArray[np.bool_]) -> Bits:
    return np.asarray((flags << np.arange(flags.shape[1])).sum(axis=1), np.int16)
