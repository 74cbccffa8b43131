"""SemDeDup (Abbas et al. 2023): what says again what another says, by the distance of vectors.

Vectors are clustered, and compared within their cluster only. There they are ordered, by default
with the least central first, and each is measured against those before it: at a distance of at
most eps from one of them it is a semantic duplicate and goes. As that distance does not depend on
eps, it is also the order in which to keep: any fraction kept is SemDeDup at some eps.

Two departures from the reference implementation: clusters come from k-means of k-means
(`smartdb.clusters.partition`), so that none is larger than asked and the cost grows linearly; and
equal distances are put in an order by seed. Pairs that clustering parts are not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from smartdb import clusters
from smartdb.clusters import Floats, Ints

Side = Literal["hard", "easy"]

CLUSTER_SIZE = 1000
"""Vectors that are compared with each other, at most."""

FIRST = 2.0
"""The distance of what comes first in its cluster: nothing is farther."""


@dataclass(frozen=True)
class Redundancy:
    """How far each vector is from those before it in its cluster, and which it is nearest to.

    Of what comes first in its cluster the distance is `FIRST` and ``nearest`` its own row.
    """

    distance: NDArray[np.float64]
    nearest: Ints
    cluster_size: Ints

    def is_duplicate(self, eps: float) -> NDArray[np.bool_]:
        """Which lie within eps of one before."""
        found: NDArray[np.bool_] = self.distance <= eps
        return found

    def kept_by(self, eps: float) -> Ints:
        """The row that represents each: of a duplicate what its nearest leads to, else itself."""
        by = np.where(self.is_duplicate(eps), self.nearest, np.arange(len(self.nearest)))
        while not np.array_equal(further := by[by], by):
            by = further
        return by


def redundancy(
    vectors: Floats,
    *,
    seed: int,
    side: Side = "hard",
    largest: int = CLUSTER_SIZE,
) -> Redundancy:
    """Compares unit vectors (n, d) within clusters of at most ``largest``.

    ``side`` hard puts the least central first, easy the most central. Beside the vectors it takes
    the memory of the largest of 32 parts of them and 16 MB; the time is n largest d. Vectors that
    are all the same are one cluster however many they are: then the time is n n d / 2, not the
    memory.
    """
    n = len(vectors)
    distance, near, size = np.full(n, FIRST), np.arange(n), np.ones(n, np.int64)
    draw = np.random.default_rng(seed).random(n)
    for rows in clusters.partition(vectors, largest, seed):
        centre = clusters.unit(vectors[rows].sum(axis=0, keepdims=True))[0]
        central = (vectors[rows] @ centre) * (1 if side == "hard" else -1)
        rows = rows[np.lexsort((draw[rows], np.round(central, 6)))]
        size[rows] = len(rows)
        before, distance[rows[1:]] = _before(vectors[rows])
        near[rows[1:]] = rows[before]
    return Redundancy(distance, near, size)


def _before(vectors: Floats) -> tuple[Ints, NDArray[np.float64]]:
    """For each row but the first, the nearest row before it (ties: the first), and how far."""
    n = len(vectors)
    near = np.zeros(n, np.int64)
    for rows in clusters.blocks(n, n):
        similarity = vectors[rows] @ vectors[: rows.stop].T
        later = np.arange(rows.stop) >= np.arange(rows.start, rows.stop)[:, None]
        similarity[later] = -np.inf
        near[rows] = similarity.argmax(axis=1)
    near = near[1:]
    distance = 1 - np.einsum("nd,nd->n", vectors[1:], vectors[near], dtype=np.float64)
    return near, np.where(distance < clusters.SAME, 0.0, distance)
