"""Confident learning (Northcutt, Jiang and Chuang 2021): which labels a model doubts, in NumPy.

All functions take ``labels`` (n,) int64, the given classes as columns of ``probabilities``
(n, c), and out-of-fold ``probabilities``: each row from a model that did not see that row. They
compute in float64 and need no model. Rules say which labels to suspect (True), scores how much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.errors import InvalidInput

Array = NDArray[Any]
Flags = NDArray[np.bool_]
Scores = NDArray[np.float64]
Rule = Callable[[Array, Array], Flags]


def thresholds(labels: Array, probabilities: Array) -> Scores:
    """For each class the mean probability of it among its own examples (c,); inf without any."""
    labels, probabilities = _checked(labels, probabilities)
    n_classes = probabilities.shape[1]
    n = np.bincount(labels, minlength=n_classes)
    total = np.bincount(labels, weights=_own(labels, probabilities), minlength=n_classes)
    return np.where(n > 0, total / np.maximum(n, 1), np.inf)


def confident_classes(labels: Array, probabilities: Array) -> NDArray[np.int64]:
    """The likeliest class among those at or above their threshold (n,); -1 where none is."""
    labels, probabilities = _checked(labels, probabilities)
    reached = probabilities >= thresholds(labels, probabilities) - 1e-9  # not lost by rounding
    best = np.where(reached, probabilities, -1).argmax(axis=1)
    return np.where(reached.any(axis=1), best, -1)


def confident_joint(labels: Array, probabilities: Array) -> NDArray[np.int64]:
    """Counts (c, c) of examples given class i that confidently are class j."""
    labels, probabilities = _checked(labels, probabilities)
    confident, n_classes = confident_classes(labels, probabilities), probabilities.shape[1]
    cells = (labels * n_classes + confident)[confident >= 0]
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def noise_joint(labels: Array, probabilities: Array) -> Scores:
    """Estimated share (c, c) of examples given class i whose true class is j; sums to 1.

    The confident joint with each row scaled to how many examples the class has. (Of a class with
    examples, one at least reaches the threshold, which is their mean.)
    """
    labels, probabilities = _checked(labels, probabilities)
    counts = confident_joint(labels, probabilities).astype(np.float64)
    given = np.bincount(labels, minlength=len(counts))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * given[:, None]
    return np.asarray(shares / max(1, len(labels)), np.float64)


def by_prediction(labels: Array, probabilities: Array) -> Flags:
    """Suspects where the likeliest class is not the given one."""
    labels, probabilities = _checked(labels, probabilities)
    return np.asarray(probabilities.argmax(axis=1) != labels)


def by_confident_joint(labels: Array, probabilities: Array) -> Flags:
    """Suspects what the confident joint counts off its diagonal."""
    confident = confident_classes(labels, probabilities)
    return np.asarray((confident >= 0) & (confident != labels))


def by_noise_rate(labels: Array, probabilities: Array) -> Flags:
    """Suspects as many of class i as the noise joint says are class j, by margin p_j - p_i."""
    labels, probabilities = _checked(labels, probabilities)
    wanted = np.rint(noise_joint(labels, probabilities) * len(labels)).astype(np.int64)
    suspects = np.zeros(len(labels), bool)
    for i in np.flatnonzero(wanted.sum(axis=1) > wanted.diagonal()):
        rows = np.flatnonzero(labels == i)
        own = probabilities[rows]
        for j in np.flatnonzero(wanted[i]):
            if j != i:
                suspects[rows[_largest(own[:, j] - own[:, i], wanted[i, j])]] = True
    return suspects


def by_rank(labels: Array, probabilities: Array) -> Flags:
    """Suspects as many as `by_noise_rate`, but those with the least self-confidence of all.

    Never one whose given class is the likeliest. How many is confident learning's estimate; which
    is told better by the self-confidence, over all classes together (measured:
    docs/decisions/003-which-labels-to-suspect.md).
    """
    labels, probabilities = _checked(labels, probabilities)
    n = int(by_noise_rate(labels, probabilities).sum())
    other = by_prediction(labels, probabilities)
    doubted = np.where(other, self_confidence(labels, probabilities), -1)
    return _largest(doubted, n) & other


RULES: dict[str, Rule] = {
    "rank": by_rank,
    "prediction": by_prediction,
    "confident_joint": by_confident_joint,
    "noise_rate": by_noise_rate,
}
"""The rules by name; the first is the default."""


def self_confidence(labels: Array, probabilities: Array) -> Scores:
    """1 less the probability of the given class (n,): 0 is trusted, 1 doubted."""
    labels, probabilities = _checked(labels, probabilities)
    return 1 - _own(labels, probabilities)


def normalised_margin(labels: Array, probabilities: Array) -> Scores:
    """How far the likeliest other class is ahead of the given one, from -1..1 to 0..1 (n,)."""
    labels, probabilities = _checked(labels, probabilities)
    others = probabilities.copy()
    others[np.arange(len(labels)), labels] = -1
    return np.asarray((others.max(axis=1) - _own(labels, probabilities) + 1) / 2)


def _own(labels: Array, probabilities: Array) -> Scores:
    return np.asarray(probabilities[np.arange(len(labels)), labels])


def checked(labels: Array, probabilities: Array) -> tuple[NDArray[np.int64], Array]:
    """Labels (n,) int64 and probabilities (n, c) as they are; InvalidInput where they don't fit."""
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise InvalidInput(
            f"labels {labels.shape} and probabilities {probabilities.shape} do not fit; "
            "give (n,) and (n, c)"
        )
    if probabilities.shape[1] < 2:
        raise InvalidInput(f"{probabilities.shape[1]} classes; a label needs an alternative")
    if labels.size and not 0 <= labels.min() <= labels.max() < probabilities.shape[1]:
        raise InvalidInput(f"a label is none of the {probabilities.shape[1]} classes, 0 onwards")
    if not np.isfinite(probabilities).all():
        raise InvalidInput("a probability is not a number")
    if probabilities.dtype != np.float32:
        probabilities = probabilities.astype(np.float64, copy=False)
    return labels.astype(np.int64, copy=False), probabilities


def _largest(values: Scores, n: int) -> Flags:
    """The ``n`` largest values; of equal ones at the border the first."""
    if n <= 0 or n >= len(values):
        return np.full(len(values), n > 0)
    border = np.partition(values, len(values) - n)[len(values) - n]
    chosen = values > border
    chosen[np.flatnonzero(values == border)[: n - int(chosen.sum())]] = True
    return np.asarray(chosen)


def _checked(labels: Array, probabilities: Array) -> tuple[NDArray[np.int64], Scores]:
    labels, probabilities = checked(labels, probabilities)
    return labels, probabilities.astype(np.float64, copy=False)
