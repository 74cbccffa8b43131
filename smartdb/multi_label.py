"""Label errors where a media may be of several classes: each class against the rest.

Equal to cleanlab's `multilabel_classification` (2.9). ``given`` (n, c) bool says which classes each
media was given, ``probabilities`` (n, c) how likely each class applies; rows need not sum to 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb import label_filters, label_quality
from smartdb.errors import InvalidInput

Array = NDArray[Any]
ALPHA = 0.8
"""Weight of the worse score where the scores of a media's classes are made one."""


def find(
    given: Array,
    probabilities: Array,
    filter_by: str = "prune_by_noise_rate",
    *,
    min_examples_per_class: int = 1,
    frac_noise: float = 1.0,
) -> NDArray[np.bool_]:
    """Which classes of which media a filter of `label_filters.FILTERS` suspects, (n, c)."""
    given, probabilities = _checked(given, probabilities)
    suspects = np.zeros(given.shape, bool)
    for k in range(given.shape[1]):
        suspects[:, k] = label_filters.find(
            *_one(given, probabilities, k),
            filter_by,
            min_examples_per_class=min_examples_per_class,
            frac_noise=frac_noise,
        )
    return suspects


def class_quality(
    given: Array, probabilities: Array, method: str = "self_confidence", *, adjust: bool = False
) -> NDArray[np.float64]:
    """How far each class, given or not, is trusted (n, c), by a score of `label_quality.SCORES`."""
    given, probabilities = _checked(given, probabilities)
    found = np.empty(given.shape, np.float64)
    for k in range(given.shape[1]):
        pair = _one(given, probabilities, k)
        found[:, k] = label_quality.quality(*pair, method, adjust=adjust)
    return found


def quality(scores: Array, alpha: float = ALPHA) -> NDArray[np.float64]:
    """One score (n,) from those of the classes (n, c): their exponential moving average, the worst
    last.
    """
    falling = np.sort(np.asarray(scores, np.float64), axis=1)[:, ::-1]
    found = falling[:, 0]
    for k in range(1, falling.shape[1]):
        found = alpha * falling[:, k] + (1 - alpha) * found
    return np.asarray(found)


def _one(given: Array, probabilities: Array, k: int) -> tuple[Array, Array]:
    """Labels (n,) and probabilities (n, 2) of one class: 1 is that it applies."""
    p = probabilities[:, k]
    return given[:, k].astype(np.int64), np.stack([1 - p, p], axis=1)


def _checked(given: Array, probabilities: Array) -> tuple[Array, Array]:
    given, p = np.asarray(given, bool), np.asarray(probabilities, np.float64)
    if given.ndim != 2 or given.shape != p.shape:
        raise InvalidInput(f"classes {given.shape} and probabilities {p.shape}; give (n, c) both")
    if not ((p >= 0) & (p <= 1)).all():
        raise InvalidInput("a probability is not between 0 and 1")
    return given, p
