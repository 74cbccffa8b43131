"""The nearest to a media, a prompt or a vector, by the SQL function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb import embeddings
from smartdb.predicates import bounded
from smartdb.samplers.ranking import ranked
from smartdb.samplers.requests import Choice, Request
from smartdb.samplers.room import Room
from smartdb.samplers.vectors import target, without_vector
from smartdb.statements import statement


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

    encoder = embeddings.find(conn, request.encoder)
    query = HalfVector(target(conn, encoder.name, media, prompt, vector))
    others = request.without([] if media is None else [media])
    found = ranked(conn, others, room, "near", query=query, encoder=encoder.name)
    counting = statement("sampling", "without_vector").format(vectors=encoder.vectors)
    with bounded(conn, others.predicate), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(counting, {"predicate": others.predicate}).fetchone()
    if not row or not row[0]:
        return found
    notes, counts = without_vector(row[0], row[1], encoder.name)
    return replace(found, notes=notes, counts=counts)
