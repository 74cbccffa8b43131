"""k-center greedy: each next is the one that lies farthest from all chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg

from smartdb.samplers.requests import Choice, Request
from smartdb.samplers.room import Room
from smartdb.samplers.vectors import nearest_distance, read_pool

FARTHEST = 2.0
"""The largest cosine distance there is: the score of one chosen before all others."""


def k_center(
    conn: psycopg.Connection[Any], request: Request, room: Room, *, anchors: str | None = None
) -> Choice:
    """Farthest first, so that the largest distance of any candidate to its nearest chosen is small.

    Algorithm 1 of Sener and Savarese 2018 (Gonzalez 1985: within twice the optimum), by cosine
    distance. It starts from what was chosen before and what fulfils ``anchors``, such as all that
    is labelled; from nothing, with one drawn by the seed. Ties: the smallest media_id. The score
    is the distance. O(n m d) time.
    """
    pool = read_pool(conn, request, anchors)
    free = room.free(conn, pool.ids)
    conn.commit()
    nearest = nearest_distance(pool.x, pool.anchors)
    places, scores = [], []
    for _ in range(min(request.n, len(pool.ids))):
        if not free.mask.any():
            break
        at = _farthest(nearest, free.mask, request.seed)
        scores.append(min(float(nearest[at]), FARTHEST))
        places.append(at)
        free.take(at)
        np.minimum(nearest, 1 - pool.x @ pool.x[at], out=nearest)
    return pool.choice(places, np.maximum(scores, 0), _reasons(scores, bool(len(pool.anchors))))


def _farthest(nearest: np.ndarray[Any, Any], mask: np.ndarray[Any, Any], seed: int) -> int:
    if np.isinf(nearest[0]):
        return int(np.random.default_rng(seed).choice(np.flatnonzero(mask)))
    return int(np.argmax(np.where(mask, nearest, -1)))


def _reasons(scores: list[float], has_anchors: bool) -> list[str]:
    texts = [
        f"cosine distance {max(score, 0):.3f} to the nearest chosen before" for score in scores
    ]
    return texts if has_anchors else ["the first, drawn by the seed", *texts[1:]][: len(texts)]
