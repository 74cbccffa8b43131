"""Near-duplicates by hash: pairs of a million 64-bit hashes, beside comparing all with all."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks import load
from benchmarks.harness import Figure, scratch, seconds, session, show
from smartdb import duplicates, embeddings, hashes
from smartdb.database import connect

PLANTED = 0.01
ASKED = 200
NEAR = """
update core.media as m set phash = (n.phash # (1::bigint << (m.media_id %% 61)::int)::bit(64)
    # (1::bigint << (m.media_id %% 59)::int)::bit(64))
from core.media as n
where m.media_id %% %(every)s = 0 and n.media_id = m.media_id - 1
"""


def main(quick: bool = False) -> None:
    """Pairs and groups of a million media (5,000 with ``quick``), one in a hundred planted."""
    n = 5_000 if quick else 1_000_000
    with scratch() as url:
        with session(url, "smartdb_owner") as owner:
            load.fill(owner, n, dim=16)
            owner.execute(NEAR, {"every": round(1 / PLANTED)})
        with connect(url) as conn:
            figures = measure(conn, n)
    show(f"near-duplicates of {n:,} hashes", figures)


def measure(conn: psycopg.Connection[Any], n: int) -> list[Figure]:
    """Seconds of the pairs, of the groups, and of comparing all with all in memory."""
    encoder = embeddings.find(conn)
    pairs = seconds(lambda: hashes.compare(conn, encoder))
    groups = seconds(lambda: duplicates.group(conn, encoder.name))
    (found,) = conn.execute("select count(*) from core.duplicate_pair where bits <= 4").fetchone()  # type: ignore[misc]
    values = _hashes(conn)
    bare = seconds(lambda: [_near(values, at) for at in range(ASKED)]) * n / ASKED / 2
    note = (
        f"{found:,} pairs within {hashes.COMPLETE} bits, at least {int(n * PLANTED) - 1:,} planted"
    )
    target = "< 60 s" if n == 1_000_000 else ""
    return [
        Figure("compare all with all, in memory", bare, "s", note=f"by {ASKED} of them"),
        Figure("pairs by hash", pairs, "s", target, pairs < 60 if target else None, note),
        Figure("groups of them", groups, "s", note="with the distances of their vectors"),
    ]


def _hashes(conn: psycopg.Connection[Any]) -> NDArray[np.uint64]:
    rows = conn.execute("select m.phash::bigint from core.media as m where m.phash is not null")
    return np.array([row[0] for row in rows], np.int64).view(np.uint64)


def _near(values: NDArray[np.uint64], at: int) -> int:
    return int((np.bitwise_count(values ^ values[at]) <= hashes.COMPLETE).sum())


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
