"""k-means representatives: the media nearest to the mean of each of n clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg

from smartdb.samplers.clusters import clusters, place_in_cluster
from smartdb.samplers.requests import Choice, Request
from smartdb.samplers.room import Room
from smartdb.samplers.vectors import read_pool


def k_means(conn: psycopg.Connection[Any], request: Request, room: Room) -> Choice:
    """The nearest to the mean of each of n clusters, largest cluster first.

    Where there are fewer clusters (equal vectors, or a cap) each gives its next nearest in turn.
    The score is the share of the candidates that lie in the cluster.
    """
    pool = read_pool(conn, request)
    free = room.free(conn, pool.ids)
    conn.commit()
    if not len(pool.ids):
        return Choice(pool.ids, np.zeros(0), [])
    cluster, similarity = clusters(pool.x, min(request.n, len(pool.ids)), request.seed)
    size = np.bincount(cluster)[cluster]
    place = place_in_cluster(cluster, similarity)
    chosen = free.pick(np.lexsort((cluster, -size, place)), request.n)
    reasons = [
        f"no. {place[at] + 1} of a cluster of {size[at]}, cosine distance "
        f"{max(1 - similarity[at], 0):.3f} to its mean"
        for at in chosen
    ]
    scores = size[chosen] / len(pool.ids)
    return Choice(pool.ids[chosen], scores, reasons, pool.notes, pool.counts)
