"""Typical media: in each cluster the one in the densest place; for a first batch to label."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from smartdb.clusters import blocks, members, unit
from smartdb.samplers.k_means import clusters, place_in_cluster
from smartdb.samplers.requests import Choice, Ints, Request
from smartdb.samplers.room import Room
from smartdb.samplers.vectors import Vectors, read_pool

MOST_CLUSTERS, N_NEIGHBOURS, SMALL = 500, 20, 5
"""As in the authors' code; clusters of `SMALL` or fewer come last (there they are left out)."""


def typical(
    conn: psycopg.Connection[Any], request: Request, room: Room, *, anchors: str | None = None
) -> Choice:
    """TypiClust (Hacohen, Dekel and Weinshall 2022): the most typical of each cluster in turn.

    There are as many clusters as are chosen now and were before (at most 500); first come those
    where least was chosen before (or fulfils ``anchors``), of these the largest. Typicality, the
    score, is 1 / the mean Euclidean distance to the 20 nearest of the cluster.
    """
    pool = read_pool(conn, request, anchors)
    free = room.free(conn, pool.ids)
    conn.commit()
    m = len(pool.ids)
    both = np.concatenate([pool.x, pool.anchors])
    of = clusters(both, min(request.n + len(pool.anchors), MOST_CLUSTERS), request.seed).of
    own, size, known = of[:m], np.bincount(of)[of[:m]], np.bincount(of[m:], minlength=m)[of[:m]]
    score = _typicality(pool.x, own)
    place = place_in_cluster(own, score)
    order = np.lexsort((own, -size, known, place, size <= SMALL))
    chosen = free.pick(order, request.n)
    reasons = [
        f"typicality {score[at]:.3f}, no. {place[at] + 1} of a cluster of {size[at]}"
        for at in chosen
    ]
    return pool.choice(chosen, score[chosen], reasons)


def _typicality(x: Vectors, cluster: Ints) -> NDArray[np.float64]:
    """1 / mean distance to the nearest within the cluster: 20, or half of a small cluster."""
    score = np.zeros(len(x))
    for rows in members(cluster):
        k = max(1, min(N_NEIGHBOURS, len(rows) // 2))
        if len(rows) > 1:
            score[rows] = 1 / (_mean_distance(unit(x[rows]), k) + 1e-5)
    return score


def _mean_distance(x: Vectors, k: int) -> NDArray[np.float64]:
    """Mean Euclidean distance (m,) of each unit vector to its ``k`` nearest others."""
    means = np.zeros(len(x))
    for rows in blocks(len(x), len(x)):
        alike = x[rows] @ x.T
        alike[np.arange(len(alike)), np.arange(rows.start, rows.stop)] = -np.inf
        near = -np.partition(-alike, k - 1, axis=1)[:, :k]
        means[rows] = np.sqrt(np.maximum(2 - 2 * near, 0)).mean(axis=1)
    return means
