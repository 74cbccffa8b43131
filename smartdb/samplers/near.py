"""The nearest to a media, a prompt or a vector, by the SQL function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg

from smartdb import embeddings
from smartdb.samplers.ranking import ranked
from smartdb.samplers.requests import Choice, Request
from smartdb.samplers.room import Room
from smartdb.samplers.vectors import target


def near(
    conn: psycopg.Connection[Any],
    request: Request,
    room: Room,
    *,
    media: int | None = None,
    prompt: str | None = None,
    vector: Sequence[float] | None = None,
) -> Choice:
    """Nearest first by cosine distance; the media that is asked about is not among them."""
    from pgvector import HalfVector

    encoder = embeddings.find(conn, request.encoder).name
    query = HalfVector(target(conn, encoder, media, prompt, vector))
    others = request.without(np.array([media] if media else [], np.int64))
    return ranked(conn, others, room, "near", query=query, encoder=encoder)
