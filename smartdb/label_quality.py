"""Label quality: how far a label is trusted, equal to cleanlab's `get_label_quality_scores` (2.9).

Every score takes ``labels`` (n,) from 0 to c - 1 and out-of-fold ``probabilities`` (n, c), computes
in float64 in chunks, and gives (n,) from 0 (doubted) to 1 (trusted). What the database keeps is
the opposite, a suspicion: 1 less the quality.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.confident import checked, thresholds
from smartdb.errors import InvalidInput

Array = NDArray[Any]
Floats = NDArray[np.float64]
Score = Callable[[Array, Array], Floats]

_LEAST = 1e-6
_ROWS = 65_536


def self_confidence(labels: Array, probabilities: Array) -> Floats:
    """The probability of the given class."""
    return _in_chunks(_own, labels, probabilities)


def normalized_margin(labels: Array, probabilities: Array) -> Floats:
    """How far the given class is ahead of the likeliest other, from -1..1 to 0..1."""

    def margin(labels: Array, p: Floats) -> Floats:
        others = p.copy()
        others[np.arange(len(labels)), labels] = -np.inf
        return np.asarray((_own(labels, p) - others.max(axis=1) + 1) / 2)

    return _in_chunks(margin, labels, probabilities)


def confidence_weighted_entropy(labels: Array, probabilities: Array) -> Floats:
    """Of the entropy divided by the self-confidence, x: log(x + 1) / x."""

    def weighted(labels: Array, p: Floats) -> Floats:
        entropy = -(p * np.log(np.where(p > 0, p, 1))).sum(axis=1) / np.log(p.shape[1])
        x = entropy / np.maximum(_own(labels, p), _LEAST)
        return np.asarray(np.log(x + 1) / np.maximum(x, _LEAST))

    return _in_chunks(weighted, labels, probabilities)


SCORES: dict[str, Score] = {
    "self_confidence": self_confidence,
    "normalized_margin": normalized_margin,
    "confidence_weighted_entropy": confidence_weighted_entropy,
}
"""The scores by the names that cleanlab gives them."""


def quality(labels: Array, probabilities: Array, method: str, *, adjust: bool = False) -> Floats:
    """The quality by a score of `SCORES`; ``adjust`` for rare classes, as cleanlab does.

    InvalidInput for another method, and for the entropy of adjusted probabilities.
    """
    if method not in SCORES:
        raise InvalidInput(f"no score {method!r}; say one of {', '.join(SCORES)}")
    if adjust:
        if method == "confidence_weighted_entropy":
            raise InvalidInput(f"{method} is not defined on adjusted probabilities")
        probabilities = adjusted(labels, probabilities)
    return SCORES[method](labels, probabilities)


def adjusted(labels: Array, probabilities: Array) -> Floats:
    """Probabilities (n, c) less the mean self-confidence of their class, made to sum to 1 again."""
    labels, probabilities = checked(labels, probabilities)
    bounds = thresholds(labels, probabilities)
    bounds = np.where(np.isfinite(bounds), np.maximum(bounds, 2 * _LEAST), 2.0)
    shifted = probabilities - bounds + bounds.max()
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _own(labels: Array, p: Array) -> Floats:
    return np.asarray(p[np.arange(len(labels)), labels])


def _in_chunks(score: Score, labels: Array, probabilities: Array) -> Floats:
    labels, probabilities = checked(labels, probabilities)
    found = np.empty(len(labels), np.float64)
    for at in range(0, len(labels), _ROWS):
        some = slice(at, at + _ROWS)
        found[some] = score(labels[some], np.asarray(probabilities[some], np.float64))
    return found
