"""The neighbour graph: built, grown by 1 %, mapped; beside a bare loop of the same product.

The bare loop is what one writes without smartdb: blocks of rows times all vectors in numpy, and the
best k of each row by argpartition. Recall is held against it on some rows. Seconds of cpu are those
of this process and of its server together; on two idle cores a build takes about half of its cpu.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import psutil
import psycopg
from numpy.typing import NDArray

from benchmarks import load
from benchmarks.harness import Figure, scratch, session, show
from benchmarks.synthetic import Mixture
from smartdb import bulk, embeddings, media_graph, neighbours
from smartdb.database import connect

K = 10
BARE = 2_048
"""Rows that the bare loop does; its time is scaled to all."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of cpu, of client and server, and the client's peak in MB."""

    wall: float
    cpu: float
    peak: float


def main(quick: bool = False) -> None:
    """Graph of 200,000 x 512 and 1 % more, maps of 100,000 (2,000 with ``quick``)."""
    n, n_map = (2_000, 1_000) if quick else (200_000, 100_000)
    vectors = np.concatenate([chunk for _, chunk in Mixture(n + n // 100).chunks()])
    bare = measured(None, lambda: bare_loop(vectors[:n], vectors[: min(BARE, n)]))
    with scratch() as url:
        with session(url, "smartdb_owner") as owner:
            load.fill(owner, len(vectors), dim=16)
        with connect(url) as conn:
            figures = _built(conn, vectors, n, bare.cpu * n / min(BARE, n), quick)
    show(f"neighbour graph of {n:,} x {vectors.shape[1]}, k = {K}", figures)
    with scratch() as url:
        with session(url, "smartdb_owner") as owner:
            load.fill(owner, n_map, dim=16)
        with connect(url) as conn:
            figures = _mapped(
                conn, vectors[:n_map], with_pacmap=not quick and bool(find_spec("pacmap"))
            )
    show(f"clusters and map of {n_map:,} x {vectors.shape[1]}", figures)


def _built(
    conn: psycopg.Connection[Any], vectors: Floats, n: int, bare: float, quick: bool
) -> list[Figure]:
    fill(conn, vectors[:n], 1)
    built = measured(conn, lambda: neighbours.build(conn, "graph", K))
    share = recall(conn, vectors[:n])
    again = measured(conn, lambda: neighbours.build(conn, "graph", K))
    fill(conn, vectors[n:], n + 1)
    grown = measured(conn, lambda: neighbours.build(conn, "graph", K))
    share_grown = recall(conn, vectors)
    minutes = "" if quick else "< 600 s on 2 cores"
    holds = None if quick else built.cpu / 2 < 600 and built.peak < 4096
    ratio = grown.cpu / built.cpu
    return [
        Figure("bare loop, by cpu", bare, "s", note=f"scaled from {min(BARE, n):,} rows"),
        Figure("build", built.wall, "s", minutes, holds, f"cpu {built.cpu:.0f} s"),
        Figure("build / bare loop, by cpu", built.cpu / bare, ""),
        Figure("build, peak memory", built.peak, "MB", "" if quick else "< 4096", holds, "client"),
        Figure("recall@10", share, "", ">= 0.9", share >= 0.9, "of 500 media"),
        Figure("nothing new", again.wall, "s", note=f"cpu {again.cpu:.2f} s"),
        Figure("1 % more", grown.wall, "s", note=f"cpu {grown.cpu:.1f} s"),
        Figure("1 % more / build, by cpu", 100 * ratio, "%", note="2 % of the pairs are new"),
        Figure("recall@10 after that", share_grown, "", ">= 0.9", share_grown >= 0.9),
    ]


def _mapped(conn: psycopg.Connection[Any], vectors: Floats, with_pacmap: bool) -> list[Figure]:
    fill(conn, vectors, 1)
    neighbours.build(conn, "graph", K)
    conn.commit()
    update = media_graph.update
    made = measured(conn, lambda: update(conn, "graph"))
    again = measured(conn, lambda: update(conn, "graph"))
    note = f"{update(conn, 'graph')['n_clusters']} clusters, cpu {made.cpu:.0f} s"
    figures = [
        Figure("clusters and PCA", made.wall, "s", note=note),
        Figure("nothing new", again.wall, "s", note=f"cpu {again.cpu:.2f} s"),
    ]
    if with_pacmap:
        drawn = measured(conn, lambda: update(conn, "graph", method="pacmap"))
        figures.append(Figure("PaCMAP", drawn.wall, "s", note=f"cpu {drawn.cpu:.0f} s"))
    disagreement = "select sum(label_disagreement) from smartdb.media_graph"
    asked = measured(conn, lambda: conn.execute(disagreement).fetchone())
    conn.commit()
    return [*figures, Figure("label disagreement of all", asked.wall, "s", note="never stale: SQL")]


def bare_loop(vectors: Floats, asked: Floats, rows: int = 1024) -> None:
    """The best k of each row asked for, by blocks."""
    for start in range(0, len(asked), rows):
        similarity = asked[start : start + rows] @ vectors.T
        np.argpartition(similarity, -K - 1, axis=1)[:, -K - 1 :]


def fill(conn: psycopg.Connection[Any], vectors: Floats, first: int) -> None:
    """Gives the media from ``first`` on these vectors of an encoder "graph"."""
    found = embeddings.all_encoders(conn)
    known = {encoder.name: encoder.encoder_id for encoder in found}
    add = "select core.add_encoder('graph', %s)"
    encoder_id = known.get("graph") or conn.execute(add, [vectors.shape[1]]).fetchone()[0]  # type: ignore[index]
    ids = np.arange(first, first + len(vectors), dtype=np.int64)
    staged = bulk.staging(conn, "staged", like=f"core.embedding_{encoder_id}")
    bulk.copy_arrays(conn, staged, {"media_id": ids, "v": vectors})
    conn.execute(f"insert into core.embedding_{encoder_id} table staged".encode())
    conn.commit()


def recall(conn: psycopg.Connection[Any], vectors: Floats, n: int = 500) -> float:
    """Share of the exact neighbours of some media that are edges."""
    some = np.random.default_rng(0).choice(len(vectors), min(n, len(vectors)), replace=False)
    similarity = vectors[some] @ vectors.T
    similarity[np.arange(len(some)), some] = -1
    exact = np.argpartition(similarity, -K, axis=1)[:, -K:] + 1
    query = "select array_agg(neighbour_id) from core.neighbour where media_id = %s and rank <= %s"
    hits = 0
    for media, wanted in zip(some + 1, exact, strict=True):
        row = conn.execute(query, [int(media), K]).fetchone()
        assert row is not None
        hits += len(set(row[0]) & set(wanted.tolist()))
    conn.commit()
    return hits / exact.size


def measured(conn: psycopg.Connection[Any] | None, work: Callable[[], object]) -> Cost:
    """What work costs; the peak is looked at every 50 ms."""
    server = psutil.Process(conn.info.backend_pid) if conn else None
    before, start, peak = _cpu(server), time.perf_counter(), [0]
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(done, peak))
    watch.start()
    try:
        work()
    finally:
        done.set()
        watch.join()
    return Cost(time.perf_counter() - start, _cpu(server) - before, peak[0] / 2**20)


def _watch(done: threading.Event, peak: list[int]) -> None:
    me = psutil.Process(os.getpid())
    while not done.wait(0.05):
        peak[0] = max(peak[0], me.memory_info().rss)


def _cpu(server: psutil.Process | None) -> float:
    mine = time.process_time()
    return mine + sum(server.cpu_times()[:2]) if server else mine


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
