"""The core at one million: loading, versions, many writers, search, and what analysts ask.

    python -m benchmarks core [--quick]

Fills a scratch database with 1M media, 3M labels and 1M vectors of 512 (20,000 with --quick) by
SQL and COPY, and prints what it measures beside what the design and issue 4 ask for.
"""

from __future__ import annotations

import sys

from benchmarks import analysis, load, search, versions, writers
from benchmarks.harness import scratch, session, show
from benchmarks.synthetic import Mixture

DIM = 512


def main(quick: bool = False, n: int | None = None) -> None:
    """Runs all of it on ``n`` media and prints a table for each part."""
    n, full = n or (20_000 if quick else 1_000_000), not quick
    span = 5.0 if full else 0.5
    with scratch() as url:
        with session(url, "smartdb_owner") as conn:
            show(f"core: loading {n:,} media", load.fill(conn, n, DIM))
        with session(url, "smartdb_writer") as conn:
            show("core: dataset versions", versions.measure(conn, full))
        show("core: many at once", writers.measure(url, n, span))
        with session(url, "smartdb_writer") as conn:
            show("core: predictions", analysis.predict(conn, n))
        with session(url, "smartdb_owner") as conn:
            conn.execute("vacuum (analyze)")
        with session(url, "smartdb_reader") as conn:
            show("core: what analysts ask", analysis.ask(conn, n, full))
        show("core: search", search.measure(url, Mixture(n, DIM), 200 if full else 10, full))


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
