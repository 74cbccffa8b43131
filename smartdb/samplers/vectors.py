"""Vectors of the candidates, and of what was chosen before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from numpy.typing import ArrayLike, NDArray

from smartdb import embeddings, predicates
from smartdb.clusters import nearest
from smartdb.errors import InvalidInput, NothingToDo, translated
from smartdb.samplers.requests import Choice, Ints, Request
from smartdb.statements import statement

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Pool:
    """Candidates (m,) by id with unit vectors (m, d), and those of what was chosen before (a, d).

    ``notes`` names the candidates that have no vector; they cannot be chosen.
    """

    ids: Ints
    x: Vectors
    anchors: Vectors
    notes: tuple[str, ...]
    counts: dict[str, Any]

    def choice(self, places: Sequence[int] | Ints, scores: ArrayLike, reasons: list[str]) -> Choice:
        """The choice of the candidates at these places."""
        ids = self.ids[np.asarray(places, np.int64)]
        return Choice(ids, np.asarray(scores, np.float64), reasons, self.notes, self.counts)


def read_pool(
    conn: psycopg.Connection[Any],
    request: Request,
    anchors: str | None = None,
    among: Ints | None = None,
) -> Pool:
    """Reads the candidates (or those ``among`` them), ascending, and the anchors.

    Anchors are ``request.before`` and what fulfils the predicate ``anchors``; they are no
    candidates. NothingToDo if there is no candidate, or none with a vector.
    """
    encoder = embeddings.find(conn, request.encoder).name
    known = np.array(request.before, np.int64)
    if anchors is not None:
        known = np.union1d(known, predicates.members(conn, anchors))
    wanted = np.setdiff1d(
        predicates.members(conn, request.predicate) if among is None else among, known
    )
    if not len(wanted):
        raise NothingToDo(request.nobody)
    ids, x = embeddings.read_vectors(conn, encoder, wanted)
    missing = np.setdiff1d(wanted, ids)
    notes, counts = (
        without_vector(len(missing), int(missing[0]), encoder) if len(missing) else ((), {})
    )
    if not len(ids):
        raise NothingToDo(notes[0])
    return Pool(ids, x, embeddings.read_vectors(conn, encoder, known)[1], notes, counts)


def target(
    conn: psycopg.Connection[Any],
    encoder: str,
    media: int | None,
    prompt: str | None,
    vector: Any = None,
) -> Vectors:
    """The vector (d,) of a media or of a prompt, or the one that is given, of length 1."""
    given = {"media": media, "prompt": prompt, "vector": vector}
    if sum(value is not None for value in given.values()) != 1:
        raise InvalidInput(f"name one thing to be near to: {', '.join(given)}")
    if vector is None:
        name = "media_vector" if prompt is None else "prompt_vector"
        values = {"encoder": encoder, "of": media if prompt is None else prompt}
        with translated():
            row = conn.execute(statement("sampling", name), values).fetchone()
        assert row is not None
        vector = row[0].to_numpy()
    found = np.asarray(vector, np.float32).ravel()
    length = float(np.linalg.norm(found))
    if not 0 < length < np.inf:
        raise InvalidInput("the vector to be near to is zero or not finite")
    return found / length


def nearest_distance(x: Vectors, to: Vectors) -> NDArray[np.float32]:
    """Cosine distance (m,) of each row to the nearest of ``to`` (a, d); infinite to none."""
    if not len(to):
        return np.full(len(x), np.inf, np.float32)
    return np.maximum(1 - nearest(x, to)[1], 0)


def without_vector(n: int, first: int, encoder: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Notes and counts of candidates that cannot be compared."""
    named = f"media {first}{', ...' if n > 1 else ''}"
    note = (
        f"{n} of the candidates cannot be chosen, having no vector of encoder {encoder!r} "
        f"({named}); run: smartdb embed --encoder {encoder}"
    )
    return (note,), {"without_vector": n}
