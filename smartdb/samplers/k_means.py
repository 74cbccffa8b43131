"""k-means representatives: the media nearest to the mean of each of n clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from smartdb.clusters import Clusters, kmeans
from smartdb.samplers.requests import Choice, Ints, Request
from smartdb.samplers.room import Room
from smartdb.samplers.spread import spread
from smartdb.samplers.vectors import Vectors, read_pool

SEED_ROWS = 20
"""Vectors for each cluster among which the first centres are looked for."""


def k_means(conn: psycopg.Connection[Any], request: Request, room: Room) -> Choice:
    """The nearest to the mean of each of n clusters, largest cluster first.

    Where there are fewer clusters (equal vectors, or a cap) each gives its next nearest in turn.
    The score is the share of the candidates that lie in the cluster.
    """
    pool = read_pool(conn, request)
    free = room.free(conn, pool.ids)
    conn.commit()
    found = clusters(pool.x, request.n, request.seed)
    size = np.bincount(found.of)[found.of]
    place = place_in_cluster(found.of, found.similarity)
    chosen = free.pick(np.lexsort((found.of, -size, place)), request.n)
    reasons = [
        f"no. {place[at] + 1} of a cluster of {size[at]}, cosine distance "
        f"{max(1 - found.similarity[at], 0):.3f} to its mean"
        for at in chosen
    ]
    return pool.choice(chosen, size[chosen] / len(pool.ids), reasons)


def clusters(x: Vectors, k: int, seed: int) -> Clusters:
    """k-means from the centres of k-means++ among `SEED_ROWS` x k vectors drawn by the seed."""
    some = np.sort(np.random.default_rng(seed).permutation(len(x))[: SEED_ROWS * k])
    start = spread(x[some], np.ones(len(some)), k, seed)[0]
    return kmeans(x, k, seed, start=x[some[start]])


def place_in_cluster(cluster: Ints, score: NDArray[Any]) -> Ints:
    """How many (m,) of its cluster stand before each row: larger score first, ties by row."""
    order = np.lexsort((-score, cluster))
    starts = np.searchsorted(cluster[order], cluster[order])
    place = np.empty(len(cluster), np.int64)
    place[order] = np.arange(len(cluster)) - starts
    return place
