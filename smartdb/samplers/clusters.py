"""k-means on unit vectors (spherical: means are normalised), in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.samplers.requests import Ints
from smartdb.samplers.spread import spread
from smartdb.samplers.vectors import CHUNK, Vectors

ROUNDS = 25
SEED_ROWS = 20
"""Rows for each cluster among which the first centres are looked for."""


def clusters(x: Vectors, k: int, seed: int) -> tuple[Ints, NDArray[np.float32]]:
    """The cluster (m,) of each unit vector (m, d), 0 to k - 1, and its similarity to the mean.

    Lloyd's rounds from centres by k-means++, until nothing moves or `ROUNDS` are done. The same
    seed gives the same; fewer clusters than ``k`` have members where there are equal rows.
    """
    some = np.sort(np.random.default_rng(seed).permutation(len(x))[: SEED_ROWS * k])
    centres = x[some[spread(x[some], np.ones(len(some)), k, seed)[0]]]
    cluster, similarity = _assign(x, centres)
    for _ in range(ROUNDS):
        centres = _means(x, cluster, centres)
        moved, similarity = _assign(x, centres)
        if np.array_equal(moved, cluster):
            break
        cluster = moved
    return cluster, similarity


def place_in_cluster(cluster: Ints, score: NDArray[Any]) -> Ints:
    """How many (m,) of its cluster stand before each row: larger score first, ties by row."""
    order = np.lexsort((-score, cluster))
    starts = np.searchsorted(cluster[order], cluster[order])
    place = np.empty(len(cluster), np.int64)
    place[order] = np.arange(len(cluster)) - starts
    return place


def _assign(x: Vectors, centres: Vectors) -> tuple[Ints, NDArray[np.float32]]:
    cluster, similarity = np.empty(len(x), np.int64), np.empty(len(x), np.float32)
    for i in range(0, len(x), CHUNK):
        products = x[i : i + CHUNK] @ centres.T
        cluster[i : i + CHUNK] = products.argmax(axis=1)
        similarity[i : i + CHUNK] = products.max(axis=1)
    return cluster, similarity


def _means(x: Vectors, cluster: Ints, centres: Vectors) -> Vectors:
    """The normalised mean of each cluster; the centre that it has where it is empty or cancels."""
    order = np.argsort(cluster, kind="stable")
    found, starts = np.unique(cluster[order], return_index=True)
    sums = np.add.reduceat(x[order], starts)
    length = np.linalg.norm(sums, axis=1, keepdims=True)
    made = centres.copy()
    made[found] = np.where(length > 1e-6, sums / np.maximum(length, 1e-6), centres[found])
    return made
