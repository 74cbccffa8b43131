"""Typical media: in each cluster the one in the densest place; for a first batch to label."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from smartdb.samplers.clusters import clusters, place_in_cluster
from smartdb.samplers.requests import Choice, Ints, Request
from smartdb.samplers.room import Room
from smartdb.samplers.vectors import CHUNK, Vectors, read_pool

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
    m, n_before = len(pool.ids), len(pool.anchors)
    if not m:
        return Choice(pool.ids, np.zeros(0), [])
    k = min(request.n + n_before, MOST_CLUSTERS, m + n_before)
    both = np.concatenate([pool.x, pool.anchors]) if n_before else pool.x
    cluster, _ = clusters(both, k, request.seed)
    size, known = np.bincount(cluster, minlength=k), np.bincount(cluster[m:], minlength=k)
    own = cluster[:m]
    score = _typicality(pool.x, own)
    place = place_in_cluster(own, score)
    keys = (own, -size[own], known[own], place, size[own] <= SMALL)
    chosen = free.pick(np.lexsort(keys), request.n)
    reasons = [
        f"typicality {score[at]:.3f}, no. {place[at] + 1} of a cluster of {size[own[at]]}"
        for at in chosen
    ]
    return Choice(pool.ids[chosen], score[chosen], reasons, pool.notes, pool.counts)


def _typicality(x: Vectors, cluster: Ints) -> NDArray[np.float64]:
    """1 / mean distance to the nearest within the cluster: 20, or half of a small cluster."""
    score = np.zeros(len(x))
    order = np.argsort(cluster, kind="stable")
    _, starts = np.unique(cluster[order], return_index=True)
    for members in np.split(order, starts[1:]):
        k = max(1, min(N_NEIGHBOURS, len(members) // 2))
        if len(members) > 1:
            score[members] = 1 / (_mean_distance(x[members], k) + 1e-5)
    return score


def _mean_distance(x: Vectors, k: int) -> NDArray[np.float64]:
    """Mean Euclidean distance (m,) of each unit vector to its ``k`` nearest others."""
    means = []
    for i in range(0, len(x), CHUNK):
        alike = x[i : i + CHUNK] @ x.T
        np.put_along_axis(alike, np.arange(i, i + len(alike))[:, None], -np.inf, axis=1)
        near = -np.partition(-alike, k - 1, axis=1)[:, :k]
        means.append(np.sqrt(np.maximum(2 - 2 * near, 0)).mean(axis=1))
    return np.concatenate(means).astype(np.float64)
