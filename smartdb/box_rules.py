"""Which boxes to suspect, by how they overlap with what somebody else sees on the same media.

The other may be a detector, or a second annotator whose confidence is 1. The rules and their
bounds were measured: docs/decisions/022-boxes-are-suspected-by-overlap.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartdb.box_pairs import Boxes, Floats, Ints, Pairs, joined, matched, nearest, touching

CONFIDENCE = 0.3
"""Predictions below are not listened to."""

MATCH, PLACED, APART, TWIN = 0.5, 0.75, 0.1, 0.8
"""IoU from which a box is the same thing, well placed, near at all, the same box again."""


@dataclass(frozen=True)
class Seen:
    """What another sees of each label, (n,): the largest IoU with a box of its class and of others.

    ``same_at`` and ``other_at`` say with which of the other's boxes, -1: with none.
    """

    same: Floats
    other: Floats
    same_at: Ints
    other_at: Ints


@dataclass(frozen=True)
class Suspects:
    """Suspicions of a kind: rows of the labels (of the predictions if overlooked), and scores.

    ``by`` is the row of the other box that the suspicion rests on, -1: there is none.
    """

    kind: str
    rows: Ints
    scores: Floats
    by: Ints


def seen(labels: Boxes, others: Boxes) -> Seen:
    """Each label's largest overlap with a box of its own class, and with one of another."""
    return _seen(*touching(labels, others), len(labels))


def against(labels: Boxes, others: Boxes) -> list[Suspects]:
    """Labels that are badly_placed, swapped or spurious, and others' boxes that were overlooked.

    badly_placed: the nearest box of the same class overlaps by 0.1 to 0.75, score 1 - IoU times the
    other's confidence. swapped: only a box of another class matches it, score IoU times confidence.
    The others are left over when boxes are paired one to one, by the largest overlap, and nothing
    overlaps them by half: spurious labels, whose score is the share of the labels of their class
    that the other does see (of a class it never sees, none), and overlooked boxes, whose score is
    their confidence.
    """
    others_rows = np.flatnonzero(others.confidence >= CONFIDENCE)
    heard = others.only(others_rows)
    near, far = touching(labels, heard)
    view, overlaps = _seen(near, far, len(labels)), joined([near, far])
    rival = (view.same < MATCH) & (view.other >= MATCH)
    placed = (view.same >= APART) & (view.same < PLACED) & ~rival
    pairing = matched(overlaps, APART)
    lonely = np.maximum(view.same, view.other) < MATCH
    lonely[pairing.a] = False
    sure, recall = heard.confidence, _class_recall(labels, view)
    return [
        _suspects("badly_placed", placed, (1 - view.same) * _worth(sure, view.same_at),
                  _rows(others_rows, view.same_at)),
        _suspects("swapped", rival, view.other * _worth(sure, view.other_at),
                  _rows(others_rows, view.other_at)),
        _suspects("spurious", lonely & (recall > 0), recall, np.full(len(labels), -1)),
        _overlooked(heard, others_rows, overlaps, pairing.b),
    ]  # fmt: skip


def twins(labels: Boxes) -> Suspects:
    """Labels that are another label of the same class over again, but for the first of them."""
    near, _ = touching(labels, labels)
    again = near.where((near.a > near.b) & (near.iou >= TWIN))
    iou, at = nearest(again.a, again.iou, len(labels))
    twin = np.append(again.b, -1)[at]
    return _suspects("duplicate", twin >= 0, iou, twin)


def _seen(near: Pairs, far: Pairs, n: int) -> Seen:
    same, same_at = nearest(near.a, near.iou, n)
    other, other_at = nearest(far.a, far.iou, n)
    return Seen(same, other, np.append(near.b, -1)[same_at], np.append(far.b, -1)[other_at])


def _overlooked(heard: Boxes, rows: Ints, overlaps: Pairs, paired: Ints) -> Suspects:
    near, _ = nearest(overlaps.b, overlaps.iou, len(heard))
    near[paired] = 1
    lonely = near < MATCH
    return Suspects("overlooked", rows[lonely], heard.confidence[lonely], rows[lonely])


def _class_recall(labels: Boxes, view: Seen) -> Floats:
    """For each label the share of the labels of its class that the other sees as well (n,)."""
    _, place, count = np.unique(labels.class_ids, return_inverse=True, return_counts=True)
    hits = np.bincount(place, weights=view.same >= MATCH, minlength=len(count))
    return np.asarray((hits / count)[place])


def _suspects(kind: str, is_suspect: NDArray[np.bool_], scores: Floats, by: Ints) -> Suspects:
    rows = np.flatnonzero(is_suspect)
    return Suspects(kind, rows, scores[rows], by[rows])


def _rows(values: Ints, at: Ints) -> Ints:
    """The values at some places, -1 where there is none."""
    return np.asarray(np.append(values, -1)[at])


def _worth(values: Floats, at: Ints) -> Floats:
    """The values at some places, 0 where there is none."""
    return np.asarray(np.append(values, 0)[at])
