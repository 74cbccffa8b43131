"""Maximal marginal relevance: near to what is asked for, and unlike what is chosen already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg

from smartdb import embeddings
from smartdb.errors import InvalidInput
from smartdb.samplers.requests import Choice, Request
from smartdb.samplers.room import Free, Room
from smartdb.samplers.vectors import Pool, Vectors, nearest_distance, read_pool, target


def mmr(
    conn: psycopg.Connection[Any],
    request: Request,
    room: Room,
    *,
    media: int | None = None,
    prompt: str | None = None,
    vector: Sequence[float] | None = None,
    relevance: float = 0.5,
) -> Choice:
    """The largest ``relevance`` x similarity to the query - the rest x that to the nearest chosen.

    Carbonell and Goldstein 1998, with cosine similarities; 1 is `near`, 0 asks for variety alone.
    What was chosen before counts as chosen. Ties: the smallest media_id.
    """
    if not 0 <= relevance <= 1:
        raise InvalidInput(f"relevance lies between 0 and 1, not at {relevance}")
    encoder = embeddings.find(conn, request.encoder).name
    query = target(conn, encoder, media, prompt, vector)
    pool = read_pool(conn, request.without([] if media is None else [media]))
    free = room.free(conn, pool.ids)
    conn.commit()
    if pool.x.shape[1] != len(query):
        raise InvalidInput(f"the query has {len(query)} values, the vectors {pool.x.shape[1]}")
    return _choose(pool, free, query, relevance, request.n)


def _choose(pool: Pool, free: Free, query: Vectors, relevance: float, n: int) -> Choice:
    wanted = pool.x @ query
    alike = 1 - nearest_distance(pool.x, pool.anchors)
    alike[np.isinf(alike)] = 0  # nothing is chosen yet
    places: list[int] = []
    scores: list[float] = []
    reasons: list[str] = []
    while len(places) < n and free.mask.any():
        score = relevance * wanted - (1 - relevance) * alike
        at = int(np.argmax(np.where(free.mask, score, -np.inf)))
        places.append(at)
        scores.append(float(score[at]))
        reasons.append(f"similarity {wanted[at]:.3f} to the query, {alike[at]:.3f} to the chosen")
        free.take(at)
        like_it = pool.x @ pool.x[at]
        alike = (
            like_it if len(places) == 1 and not len(pool.anchors) else np.maximum(alike, like_it)
        )
    return pool.choice(places, scores, reasons)
