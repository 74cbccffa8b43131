"""The k-nearest-neighbour graph of an encoder: exact, and changed only where media came or went."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
from psycopg import sql
from psycopg.rows import dict_row, tuple_row

from smartdb import bulk, embeddings
from smartdb.embeddings import Progress, Registered
from smartdb.errors import InvalidInput, translated
from smartdb.knn import Floats, Found, Ids, compare
from smartdb.runs import Run, run
from smartdb.statements import statement
from smartdb.turns import turn

K = 10
"""Neighbours of each media, unless asked otherwise."""

MAX_K = 1000


def build(
    conn: psycopg.Connection[Any],
    encoder_name: str | None = None,
    k: int | None = None,
    *,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Brings the edges of an encoder up to date, and returns n_vectors, n_edges, k and n_compared.

    Media that are new, or lost a neighbour because its vector went, are compared with all; others
    get an edge to them where one is nearer than their last. Nothing is done where nothing came or
    went (``is_new`` is 0). ``k`` is by default that of the graph, at first `K`; a graph of more
    neighbours stays so, with fewer all are compared anew.

    It computes outside of any transaction and commits once: old edges or new ones, never a
    mixture. Builds of the same encoder wait for each other. ``progress`` gets the number of media
    compared since it was called last.
    """
    if k is not None and not 1 <= k <= MAX_K:
        raise InvalidInput(f"k is {k}, it must be from 1 to {MAX_K}")
    encoder = embeddings.find(conn, encoder_name)
    with turn(conn, f"neighbours {encoder.encoder_id}"):
        state = _state(conn, encoder)
        conn.commit()
        k = k or state["k"] or K
        if k <= state["k"] and not state["n_todo"] and not state["n_gone"]:
            done = {"n_compared": 0, "run_id": last_build(conn, encoder) or 0, "is_new": 0}
            return _counts(state) | done
        k = max(k, state["k"])
        parameters = {"encoder": encoder.name, "encoder_id": encoder.encoder_id, "k": k}
        with translated(), run(conn, "neighbours", parameters) as opened:
            n_compared = _update(conn, encoder, k, k > state["k"], opened, progress)
            opened.counts.update(_counts(_state(conn, encoder)), n_compared=n_compared)
    return {**opened.counts, "run_id": opened.run_id, "is_new": 1}


def last_build(conn: psycopg.Connection[Any], encoder: Registered) -> int | None:
    """The run that changed the edges last; None if there is no graph."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        values = {"encoder_id": encoder.encoder_id}
        row = cursor.execute(statement("neighbours", "last"), values).fetchone()
    return int(row[0]) if row else None


def _update(
    conn: psycopg.Connection[Any],
    encoder: Registered,
    k: int,
    all_anew: bool,
    opened: Run,
    progress: Progress | None,
) -> int:
    """Compares, and writes what changed; does not commit that. How many were compared with all."""
    todo = None if all_anew else _ids(conn, "todo", encoder)
    if todo is not None and not len(todo):  # some only went
        conn.commit()
        return _write(conn, encoder, k, opened, todo, {})
    ids, vectors = embeddings.read_vectors(conn, encoder.name)
    if todo is None:
        rows, found = np.arange(len(ids)), Found.none(len(ids), k)
    else:
        rows = np.flatnonzero(np.isin(ids, todo, assume_unique=True))
        found = Found.none(len(ids), k, _reach(conn, encoder, k, ids, rows))
    conn.commit()
    compare(vectors, rows, found, progress)
    return _write(conn, encoder, k, opened, ids[rows], _pairs(ids, found))


def _reach(
    conn: psycopg.Connection[Any], encoder: Registered, k: int, ids: Ids, rows: Ids
) -> Floats:
    """How far each media looks: those that are compared anew, or have fewer than k, everywhere."""
    values = {"encoder_id": encoder.encoder_id, "k": k}
    types = {"media_id": "i8", "distance": "f4"}
    last = bulk.read_columns(conn, statement("neighbours", "reach"), types, values)
    reach = np.full(len(ids), np.inf, np.float32)
    known = np.isin(last["media_id"], ids, assume_unique=True)
    reach[np.searchsorted(ids, last["media_id"][known])] = last["distance"][known]
    reach[rows] = np.inf
    return reach


def _pairs(ids: Ids, found: Found) -> dict[str, Any]:
    row, place = np.nonzero(found.near >= 0)
    return {
        "media_id": ids[row],
        "neighbour_id": ids[found.near[row, place]],
        "distance": found.distance[row, place],
    }


def _write(
    conn: psycopg.Connection[Any],
    encoder: Registered,
    k: int,
    opened: Run,
    compared: Ids,
    pairs: dict[str, Any],
) -> int:
    """Puts what was found into the graph as it is by now; does not commit."""
    values = {"encoder_id": encoder.encoder_id, "k": k, "run_id": opened.run_id}
    for name in ("lock", "drop_gone"):
        conn.execute(_of(encoder, name), values)
    conn.execute(_of(encoder, "stage"))
    bulk.copy_arrays(conn, "compared", {"media_id": compared})
    if pairs:
        bulk.copy_arrays(conn, "found", pairs)
    for name in ("drop_late", "index"):
        conn.execute(_of(encoder, name))
    values["n_vectors"] = embeddings.n_vectors(conn, encoder)
    for name in ("merge", "trim", "tell", "tell_whole"):
        conn.execute(_of(encoder, name), values)
    if len(compared) * 10 > values["n_vectors"]:
        conn.execute(_of(encoder, "analyse"))
    return len(compared)


def _state(conn: psycopg.Connection[Any], encoder: Registered) -> dict[str, int]:
    with conn.cursor(row_factory=dict_row) as cursor:
        values = {"encoder_id": encoder.encoder_id}
        found = cursor.execute(_of(encoder, "state"), values).fetchone()
    assert found is not None
    return found


def _ids(conn: psycopg.Connection[Any], name: str, encoder: Registered) -> Ids:
    values = {"encoder_id": encoder.encoder_id}
    found = bulk.read_columns(conn, _of(encoder, name), {"media_id": "i8"}, values)
    ids: Ids = found["media_id"]
    return ids


def _of(encoder: Registered, name: str) -> sql.Composed:
    return statement("neighbours", name).format(vectors=encoder.vectors)


def _counts(state: dict[str, int]) -> dict[str, int]:
    return {name: state[name] for name in ("n_vectors", "n_edges", "k")}
