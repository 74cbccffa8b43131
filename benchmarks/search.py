"""Search: nearest vectors by HNSW, filtered and not, with recall against exact; words; both."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks import load
from benchmarks.harness import Figure, one, percentile, run, scratch, seconds, session, show, took
from benchmarks.synthetic import Mixture

N_EXACT = 25
FILTERS = {
    "10 %": "m.brightness < 0.1",
    "1 %": "m.brightness < 0.01",
    "0.1 %": "m.brightness < 0.001",
    "0.05 %, one cluster": "m.media_id * 7919 % 2000 = 5",
    "0.2 %, in JSON": 'm.attributes @> \'{"site": "s7"}\'',
}
NEAREST = "select media_id from smartdb.nearest(%s::halfvec, 'bench', 10, %s)"
WORDS = {
    "one media": "select media_id from smartdb.search_text('7')",
    "0.2 %": "select media_id from smartdb.search_text('s7')",
    "0.2 %, filter": "select media_id from smartdb.search_text('s7', 10, 'm.brightness < 0.1')",
    "every media": "select media_id from smartdb.search_text('jpg')",
}
BOTH = "select media_id from smartdb.search('s7', %s::halfvec)"
EXACT = """
select v.media_id from smartdb.embedding_1 as v
where v.media_id in (select w.media_id from smartdb.media_where(%s) as w)
order by (v.v <=> %s::halfvec) + 0, v.media_id limit 10
"""


def main(quick: bool = False) -> None:
    """Search among 100,000 vectors of 512 (2,000 with ``quick``), beside BLAS in memory."""
    mixture = Mixture(2_000 if quick else 100_000)
    with scratch() as url:
        with session(url, "smartdb_owner") as conn:
            load.fill(conn, mixture.n, mixture.dim)
        figures = [_bare(mixture), *measure(url, mixture, 10 if quick else 100, full=False)]
    show(f"search among {mixture.n:,} x {mixture.dim}", figures)


def measure(url: str, mixture: Mixture, n_queries: int, full: bool) -> list[Figure]:
    """Figures of search in the vectors of ``mixture``, before and after the index is built."""
    queries = [_text(vector) for vector in mixture.queries(n_queries)]
    with session(url, "smartdb_reader") as conn:
        some = queries[: max(3, n_queries // 40)]
        figures = [_search(conn, "exact", "true", some, 500 * full)]
    with session(url, "smartdb_owner") as owner:
        build = took(owner, lambda: one(owner, "select core.index_encoder(1)"))
        size = one(owner, "select pg_relation_size('core.embedding_1_hnsw')")
        note = f"{size / 2**20:,.0f} MB, {mixture.n / build.wall:,.0f} vectors/s"
        figures.append(Figure("build HNSW", build.wall, "s", note=note, cpu=build.cpu))
    with session(url, "smartdb_reader") as conn:
        run(conn, NEAREST, queries[0], "true")
        figures.append(_search(conn, "HNSW", "true", queries, 10 * full))
        for name, predicate in FILTERS.items():
            figures.append(_search(conn, f"filter {name}", predicate, queries, 100 * full))
        figures += [_median(conn, f"words of {name}", query) for name, query in WORDS.items()]
        figures.append(_median(conn, "words and a vector", BOTH, queries[0]))
    return figures


def _median(conn: psycopg.Connection[Any], name: str, query: str, *values: str) -> Figure:
    times = [1000 * run(conn, query, *values).wall for _ in range(11)]
    return Figure(f"search, {name}, p50", percentile(times, 0.5), "ms")


def _bare(mixture: Mixture) -> Figure:
    vectors = np.concatenate([chunk for _, chunk in mixture.chunks()])
    query = mixture.queries(1)[0]
    times = [1000 * seconds(lambda: np.argpartition(vectors @ query, -10)[-10:]) for _ in range(20)]
    return Figure("exact in memory, by BLAS, p50", percentile(times, 0.5), "ms")


def _search(
    conn: psycopg.Connection[Any], name: str, predicate: str, queries: Sequence[str], target: float
) -> Figure:
    times, hits, wanted, short = [], 0, 0, 0
    for place, query in enumerate(queries):
        start = time.perf_counter()
        found = conn.execute(NEAREST, (query, predicate)).fetchall()
        times.append(1000 * (time.perf_counter() - start))
        if place < N_EXACT:
            exact = conn.execute(EXACT, (predicate, query)).fetchall()
            hits, wanted = hits + len({*found} & {*exact}), wanted + len(exact)
            short += len(found) < len(exact)
    recall, p95 = hits / max(1, wanted), percentile(times, 0.95)
    note = f"p50 {percentile(times, 0.5):.3g} ms, recall@10 {recall:.3f}, {short} short"
    limit = f"< {target:g} ms, recall >= 0.95" if target else ""
    holds = p95 < target and recall >= 0.95 and not short if target else None
    return Figure(f"nearest, {name}, p95", p95, "ms", limit, holds, note)


def _text(vector: NDArray[np.float32]) -> str:
    return "[" + ",".join(f"{value:.5g}" for value in vector) + "]"


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
