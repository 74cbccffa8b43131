"""The k-nearest-neighbour graph of an encoder: exact, by blocks of a matrix product."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import dict_row

from smartdb import bulk, embeddings
from smartdb.embeddings import Progress, Registered
from smartdb.errors import InvalidInput, translated
from smartdb.runs import run
from smartdb.statements import statement

K = 10
"""Neighbours of each media, unless asked otherwise."""

MAX_K = 1000

_BLOCK_VALUES = 32 << 20  # float32 similarities held at a time: 128 MB
_MORE = 8  # candidates that are compared again, so that equal distances are told apart by id

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]


def build(
    conn: psycopg.Connection[Any],
    encoder_name: str | None = None,
    k: int = K,
    *,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Makes the edges of an encoder anew, and returns n_vectors, n_edges and run_id.

    Nothing is done where the vectors, ``k`` and the edges are those of the last build (``is_new``
    is 0). It computes outside of any transaction and commits once: old edges or new ones, never a
    mixture. ``progress`` gets the number of media done since it was called last.
    """
    if not 1 <= k <= MAX_K:
        raise InvalidInput(f"k is {k}, it must be from 1 to {MAX_K}")
    encoder = embeddings.find(conn, encoder_name)
    state = _state(conn, encoder)
    known = last_build(conn, encoder)
    conn.commit()
    if known and known["n_present"] == known["counts"]["n_edges"] and _is_of(known, state, k):
        return _counts(known["counts"], known["run_id"], is_new=False)
    parameters = {"encoder": encoder.name, "encoder_id": encoder.encoder_id, "k": k}
    with translated(), run(conn, "neighbours", parameters) as opened:
        state = _state(conn, encoder)
        ids, vectors = embeddings.read_vectors(conn, encoder.name)
        conn.commit()
        near, distances = knn(vectors, k, progress)
        n_edges = _replace(conn, encoder, ids, near, distances)
        opened.counts.update(state, k=k, n_edges=n_edges)
    return _counts(opened.counts, opened.run_id, is_new=True)


def last_build(conn: psycopg.Connection[Any], encoder: Registered) -> dict[str, Any] | None:
    """The last complete build (run_id, counts) and n_present edges; None if there is none."""
    with conn.cursor(row_factory=dict_row) as cursor:
        values = {"encoder_id": encoder.encoder_id}
        return cursor.execute(statement("neighbours", "last"), values).fetchone()


def knn(vectors: Floats, k: int, progress: Progress | None = None) -> tuple[Ids, Floats]:
    """Rows of the ``min(k, n - 1)`` nearest others of each row, and their cosine distances.

    ``vectors`` are unit vectors (n, d) float32. The nearest comes first, of equal distances the
    smaller row. Memory beside the result is about 128 MB.
    """
    n = len(vectors)
    k = max(0, min(k, n - 1))
    near, distances = np.zeros((n, k), np.int64), np.zeros((n, k), np.float32)
    if k == 0:
        return near, distances
    step = max(16, min(1024, _BLOCK_VALUES // n))
    for start in range(0, n, step):
        rows = np.arange(start, min(start + step, n))
        near[rows], distances[rows] = _nearest(vectors, rows, k)
        if progress:
            progress(len(rows))
    return near, distances


def _nearest(vectors: Floats, rows: Ids, k: int) -> tuple[Ids, Floats]:
    """Candidates by the fast product, then their distances again, each computed the same way.

    The product's last digits depend on where a row stands in its block, so equal vectors would
    come in any order.
    """
    similarity = vectors[rows] @ vectors.T
    similarity[np.arange(len(rows)), rows] = -np.inf
    m = min(k + _MORE, len(vectors) - 1)
    candidates = np.argpartition(similarity, len(vectors) - m, axis=1)[:, -m:]
    candidates.sort(axis=1)
    again = np.einsum("nd,nmd->nm", vectors[rows], vectors[candidates])
    order = np.argsort(-again, axis=1, kind="stable")[:, :k]
    distances = np.clip(1 - np.take_along_axis(again, order, axis=1), 0, 2)
    return np.take_along_axis(candidates, order, axis=1), distances.astype(np.float32)


def _replace(
    conn: psycopg.Connection[Any],
    encoder: Registered,
    ids: Ids,
    near: Ids,
    distances: Floats,
) -> int:
    """Puts new edges in place of the old ones; does not commit."""
    n, k = near.shape
    values = {"encoder_id": encoder.encoder_id}
    columns = {
        "media_id": np.repeat(ids, k),
        "rank": np.tile(np.arange(1, k + 1, dtype=np.int16), n),
        "neighbour_id": ids[near.ravel()] if n else ids,
        "distance": distances.ravel(),
    }
    conn.execute(statement("neighbours", "lock"), values)
    bulk.staging(conn, "neighbour_new", like="core.neighbour", columns=list(columns))
    bulk.copy_arrays(conn, "neighbour_new", columns)
    conn.execute(statement("neighbours", "clear"), values)
    return conn.execute(statement("neighbours", "add"), values).rowcount


def _state(conn: psycopg.Connection[Any], encoder: Registered) -> dict[str, Any]:
    with conn.cursor(row_factory=dict_row) as cursor:
        query = statement("neighbours", "state").format(vectors=encoder.vectors)
        found = cursor.execute(query).fetchone()
    assert found is not None
    return found


def _is_of(known: dict[str, Any], state: dict[str, Any], k: int) -> bool:
    counts = known["counts"]
    return all(counts.get(name) == value for name, value in {**state, "k": k}.items())


def _counts(counts: dict[str, Any], run_id: int, *, is_new: bool) -> dict[str, int]:
    numbers = {name: int(counts[name]) for name in ("n_vectors", "n_edges")}
    return {**numbers, "run_id": run_id, "is_new": int(is_new)}
