"""ObjectLab (Tkachenko, Thyagarajan and Mueller 2023): how well boxes fit what a detector sees.

The scores are those of cleanlab.object_detection.rank, for millions of boxes at once: from 0 (an
error) to 1 (fits). Two boxes are similar by 0.9 of their IoU and 0.1 of exp(-d / 10), where d is
the distance of their centres in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smartdb.box_pairs import Boxes, Floats, Pairs, pairs

LOW, HIGH = 0.5, 0.95
"""Confidence above which a prediction may tell a bad place, and one of the other errors."""

_SAME = 0.95  # IoU of boxes that are the same one, said to be two things


@dataclass(frozen=True)
class Quality:
    """Per label ``placed`` and ``named`` (n,), per prediction ``seen`` (m,), nan: not asked."""

    placed: Floats
    named: Floats
    seen: Floats


def quality(labels: Boxes, predictions: Boxes, low: float = LOW, high: float = HIGH) -> Quality:
    """How well labels are placed and named by the predictions on their media, and these seen.

    What no prediction speaks of has the quality 1.
    """
    n, m = len(labels), len(predictions)
    placed, rival = np.full(n, -np.inf), np.full(n, -np.inf)
    touched, kin, least = np.zeros(m, bool), np.full(m, -np.inf), 1.0
    for found in pairs(labels, predictions):
        alike = _similarity(labels, predictions, found)
        least = min(least, float(alike[alike > 0].min(initial=1.0)))
        sure = predictions.confidence[found.b]
        same = labels.class_ids[found.a] == predictions.class_ids[found.b]
        near = same & (sure > low) & (found.iou > 0)
        np.maximum.at(placed, found.a[near], alike[near])
        other = ~same & (sure > high)
        np.maximum.at(rival, found.a[other], alike[other])
        touched[found.b[found.iou > 0]] = True
        np.maximum.at(kin, found.b[same], alike[same])
    named = np.where(np.isneginf(rival), 1.0, np.maximum(least, 1 - rival))
    named[_said_twice(labels)] = least
    seen = np.where(np.isneginf(kin), least * (1 - predictions.confidence), kin)
    seen[touched | (predictions.confidence < high)] = np.nan
    return Quality(np.where(np.isneginf(placed), 1.0, placed), named, seen)


def _similarity(a: Boxes, b: Boxes, found: Pairs) -> Floats:
    apart = _centres(a)[found.a] - _centres(b)[found.b]
    return np.asarray(0.9 * found.iou + 0.1 * np.exp(-0.1 * np.hypot(apart[:, 0], apart[:, 1])))


def _centres(boxes: Boxes) -> Floats:
    return np.asarray(boxes.xywh[:, :2] + boxes.xywh[:, 2:] / 2)


def _said_twice(labels: Boxes) -> np.ndarray:
    """Whether another label, of another class, is the same box (n,) bool."""
    twice = np.zeros(len(labels), bool)
    for found in pairs(labels, labels):
        torn = (found.iou >= _SAME) & (labels.class_ids[found.a] != labels.class_ids[found.b])
        twice[found.a[torn]] = True
    return twice
