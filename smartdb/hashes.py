"""Pairs of media whose perceptual hashes hardly differ, without comparing all with all.

The 64 bits are cut into six blocks. Hashes that differ in at most `COMPLETE` bits have at least
two blocks equal, so an equality join in SQL on each of the 15 pairs of blocks finds them all; of
those that differ in up to `MAX_BITS` it finds most. (Norouzi, Punjani and Fleet, Fast search in
Hamming space with multi-index hashing, 2012, join on one block and probe around it.)
"""

from __future__ import annotations

from itertools import accumulate, combinations
from typing import Any

import psycopg
from psycopg.rows import dict_row

from smartdb.embeddings import Progress, Registered
from smartdb.errors import translated
from smartdb.runs import run
from smartdb.statements import statement

BLOCKS = (11, 11, 11, 11, 10, 10)
COMPLETE = 4
"""All pairs that differ in at most this many bits are found,"""

MAX_BITS = 6
"""and those found that differ in at most this many are kept."""

FEW = 8
"""Of media with the same hash each is compared with the first, and with this many before it."""


def masks() -> list[int]:
    """The two blocks that must be equal, for each of the 15 joins, as signed 64-bit numbers."""
    starts = accumulate(BLOCKS, initial=0)
    blocks = [((1 << n) - 1) << start for n, start in zip(BLOCKS, starts, strict=False)]
    both = [a | b for a, b in combinations(blocks, 2)]
    return [mask - (1 << 64) if mask >> 63 else mask for mask in both]


def compare(
    conn: psycopg.Connection[Any], encoder: Registered, progress: Progress | None = None
) -> dict[str, int]:
    """Compares the hashes of media that are new with all, and returns n_hashed, n_new, n_pairs.

    Media without a vector wait for it. New are those above the last media that was compared; where
    some below it have come or gone, all are compared anew. Commits: between the joins, and at the
    end. ``progress`` gets 1 for each of the 15 joins.
    """
    last = _one(conn, "last", encoder) or {"counts": {"n_hashed": 0, "up_to": 0}}
    known = last["counts"]
    state = _one(conn, "state", encoder, up_to=known["up_to"])
    conn.commit()
    assert state is not None
    again = state["n_before"] != known["n_hashed"]
    n_new = state["n_hashed"] - (0 if again else state["n_before"])
    counts = {"n_hashed": state["n_hashed"], "n_new": n_new, "n_pairs": 0}
    if not n_new and not again:
        return counts
    with translated(), run(conn, "compare_hashes", {"encoder_id": encoder.encoder_id}) as opened:
        _stage(conn, encoder, 0 if again else known["up_to"], progress)
        counts["n_pairs"] = _write(conn, encoder, again)
        opened.counts.update(counts, up_to=state["up_to"])
    return counts


def _stage(
    conn: psycopg.Connection[Any], encoder: Registered, after: int, progress: Progress | None
) -> None:
    _execute(conn, "unstage", encoder)
    _execute(conn, "stage_media", encoder, after=after)
    for name in ("stage_hash", "stage_near", "index", "analyse"):
        _execute(conn, name, encoder)
    conn.commit()
    for mask in masks():
        _execute(conn, "match", encoder, mask=mask, max_bits=MAX_BITS)
        conn.commit()
        if progress:
            progress(1)


def _write(conn: psycopg.Connection[Any], encoder: Registered, again: bool) -> int:
    with conn.transaction():
        if again:
            _execute(conn, "clear", encoder)
        n = _execute(conn, "add", encoder, few=FEW)
    _execute(conn, "unstage", encoder)
    return n


def _execute(conn: psycopg.Connection[Any], name: str, encoder: Registered, **values: int) -> int:
    query = statement("hashes", name).format(vectors=encoder.vectors)
    return conn.execute(query, {"encoder_id": encoder.encoder_id, **values}).rowcount


def _one(
    conn: psycopg.Connection[Any], name: str, encoder: Registered, **values: int
) -> dict[str, Any] | None:
    query = statement("hashes", name).format(vectors=encoder.vectors)
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, {"encoder_id": encoder.encoder_id, **values}).fetchone()
