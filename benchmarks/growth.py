"""How costs grow with the number of media: 10k, 100k, 1M, and the exponent of each.

    python -m benchmarks growth [--quick]

An exponent of 1 is a cost in proportion to the media, 0 one that does not depend on them. A line
more is one more row of COSTS: a name, and a function of the connection and the number of media
that does the work; they run in this order, in a new database for each size.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import psycopg
from psycopg import sql

from benchmarks import load, synthetic
from benchmarks.harness import machine, run, scratch, seconds, session
from benchmarks.synthetic import Mixture
from smartdb.datasets import create_version

DIM = 64
SIZES = (10_000, 100_000, 1_000_000)
Connection = psycopg.Connection[Any]
NEAREST = "select media_id from smartdb.embedding_1 order by v <=> (%s)::halfvec, media_id limit 10"


def main(quick: bool = False) -> None:
    """Prints seconds and exponents at three sizes (with ``quick`` 500 to 5,000)."""
    sizes = (500, 1_500, 5_000) if quick else SIZES
    print(f"\ngrowth\n{machine()}")
    took: dict[str, list[float]] = {name: [] for name in COSTS}
    for n in sizes:
        for name, cost in measure(n).items():
            took[name].append(cost)
    print(f"  {'seconds at':<24}" + "".join(f"{n:>12,}" for n in sizes) + "    exponent")
    for name, costs in took.items():
        line = "".join(f"{cost:>12.3g}" for cost in costs)
        print(f"  {name:<24}{line}    {exponent(sizes, costs):8.2f}", flush=True)


def measure(n: int) -> dict[str, float]:
    """Seconds of each cost at ``n`` media, 3 n labels and n vectors."""
    with scratch() as url, session(url, "smartdb_owner") as conn:
        for command in synthetic.REFERENCE.split(";"):
            conn.execute(command.encode())
        return {name: seconds(partial(work, conn, n)) for name, work in COSTS.items()}


def exponent(sizes: tuple[int, ...], costs: list[float]) -> float:
    """The slope of the line through the logarithms: cost ~ n ** exponent."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def _ingest(conn: Connection, n: int) -> None:
    """The rows of media, locations, statistics and labels, through staging."""
    queries = {"media": synthetic.MEDIA.format(n), "media_location": synthetic.LOCATION}
    queries |= {"quality": synthetic.QUALITY, "label": synthetic.LABEL}
    for table, query in queries.items():
        with synthetic.spool(conn, query) as file:
            load._stage_and_insert(conn, table, sql.SQL(load.COLUMNS[table]), file)
        conn.execute(sql.SQL("vacuum (analyze) core.{}").format(sql.Identifier(table)))


def _vectors(conn: Connection, n: int) -> None:
    run(conn, "select core.add_encoder('bench', %s)", DIM)
    for ids, vectors in Mixture(n, DIM).chunks():
        load._add_vectors(conn, {"media_id": ids, "v": vectors})
    conn.execute("vacuum (analyze) core.embedding_1")


def _version(query: str, conn: Connection, _: int) -> None:
    create_version(conn, "bench", ontology="bench", query=query)


def _search(conn: Connection, n: int) -> None:
    text = "[" + ",".join(map(str, Mixture(n, DIM).queries(1)[0])) + "]"
    run(conn, NEAREST, text)


def _ask(query: str, conn: Connection, _: int) -> None:
    run(conn, query)


COSTS: Mapping[str, Callable[[Connection, int], None]] = {
    "ingest rows": _ingest,
    "vectors": _vectors,
    "first version": partial(_version, "true"),
    "next, 1 % gone": partial(_version, "m.media_id % 100 > 0"),
    "next, nothing new": partial(_version, "m.media_id % 100 > 0"),
    "diff": partial(_ask, "select count(*) from smartdb.dataset_diff('bench', 1, 2)"),
    "class balance": partial(_ask, "select * from smartdb.class_balance('bench', 1)"),
    "verify": partial(_ask, "select * from smartdb.dataset_verify('bench', 1)"),
    "search, exact": _search,
    "sample 1,000 at random": partial(_ask, "select * from smartdb.sample_random(1000, 0)"),
}


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
