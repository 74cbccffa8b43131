"""Rows far from each other, drawn with odds: the seeding of k-means++."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.samplers.room import Free


def spread(
    vectors: NDArray[np.float32],
    weight: NDArray[np.floating[Any]],
    n: int,
    seed: int,
    free: Free | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places (n,) of rows far from each other, and the distance of each to those before it.

    The seeding of k-means++: the first is the row with the largest weight (ties: the first), each
    next is drawn with odds weight x squared distance to the nearest chosen. Unit vectors (m, d)
    give cosine distances, the first is infinitely far. At most m are chosen, equal rows last.
    """
    rng = np.random.default_rng(seed)
    free = free or Free(len(vectors), [])
    chosen: list[int] = []
    distance: list[float] = []
    nearest = np.full(len(vectors), np.inf)
    while len(chosen) < n and free.mask.any():
        if chosen:
            pick = _draw(rng, nearest, weight, free.mask)
        else:
            pick = int(np.argmax(np.where(free.mask, weight, -1.0)))
        chosen.append(pick)
        distance.append(nearest[pick])
        free.take(pick)
        nearest = np.minimum(nearest, np.maximum(1 - vectors @ vectors[pick], 0))
    return np.array(chosen, np.int64), np.array(distance, np.float64)


def _draw(
    rng: np.random.Generator,
    nearest: NDArray[np.float64],
    weight: NDArray[np.floating[Any]],
    is_free: NDArray[np.bool_],
) -> int:
    """A free row by its odds; where all odds are 0, the free row with the largest weight."""
    odds = np.where(is_free & (nearest > 1e-6), weight * nearest, 0.0)  # 2 x cosine = squared
    total = np.cumsum(odds)
    if total[-1] <= 0:
        return int(np.argmax(np.where(is_free, weight, -1.0)))
    return int(np.searchsorted(total, rng.random() * total[-1], side="right"))
