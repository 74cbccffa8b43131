"""Vectors: COPY in and out beside COPY of the same bytes, and the neighbour graph beside BLAS."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks.harness import Figure, scratch, show
from smartdb.bulk import copy_arrays, read_vectors
from smartdb.knn import knn

DIM = 512
ROUNDS = 3
COPY_IN = "copy bench_vector (media_id, v) from stdin (format binary)"
QUERY = "select media_id, v from bench_vector"
COPY_OUT = f"copy ({QUERY}) to stdout (format binary)"

Floats = NDArray[np.float32]


def main(quick: bool = False) -> None:
    """COPY of 200,000 x 512 halfvec, and the graph of 20,000 (a tenth of each with ``quick``)."""
    vectors = _units(20_000 if quick else 200_000)
    with scratch() as url, psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create table bench_vector (media_id bigint, v halfvec(512))")
        conn.execute("alter table bench_vector alter column v set storage plain")
        show(f"vectors: {len(vectors):,} x {DIM} halfvec", measure(conn, vectors))
    show("neighbour graph, exact, k = 10", [graph(vectors[: len(vectors) // 10])])


def measure(conn: psycopg.Connection[Any], vectors: Floats) -> list[Figure]:
    """Vectors per second in and out, the best of three rounds that alternate with bare COPY."""
    columns: dict[str, Any] = {"media_id": np.arange(len(vectors)), "v": vectors}
    best: dict[str, float] = {}

    def timed(name: str, work: Callable[..., Any]) -> Any:
        start = time.perf_counter()
        result = work()
        best[name] = min(best.get(name, np.inf), time.perf_counter() - start)
        return result

    for _ in range(ROUNDS):
        conn.execute("truncate bench_vector")
        timed("in", lambda: copy_arrays(conn, "bench_vector", columns))
        ids, found = timed("out", lambda: read_vectors(conn, QUERY))
        raw = timed("bare out", lambda: _bare_out(conn))
        conn.execute("truncate bench_vector")
        timed("bare in", lambda raw=raw: _bare_in(conn, raw))
    np.testing.assert_allclose(found[np.argsort(ids)], vectors, atol=1e-3)
    return [_figure("COPY in", len(vectors), best["in"], best["bare in"]),
            _figure("COPY out", len(vectors), best["out"], best["bare out"])]  # fmt: skip


def graph(vectors: Floats) -> Figure:
    """Media per second of the exact neighbour graph, beside the matrix product alone."""
    start = time.perf_counter()
    knn(vectors, 10)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    for row in range(0, len(vectors), 1024):
        vectors[row : row + 1024] @ vectors.T
    bare = time.perf_counter() - start
    name = f"graph of {len(vectors):,} x {vectors.shape[1]}"
    return Figure(name, ours, "s", f"matrix product {bare:.1f} s", note=f"{ours / bare:.1f}x")


def _units(n: int) -> Floats:
    vectors = np.random.default_rng(0).standard_normal((n, DIM), np.float32)
    units: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


def _bare_in(conn: psycopg.Connection[Any], raw: bytes) -> None:
    with conn.cursor() as cursor, cursor.copy(COPY_IN.encode()) as copy:
        copy.write(raw)


def _bare_out(conn: psycopg.Connection[Any]) -> bytes:
    with conn.cursor() as cursor, cursor.copy(COPY_OUT.encode()) as copy:
        return b"".join(copy)


def _figure(name: str, n: int, ours: float, bare: float) -> Figure:
    limit = f"bare COPY {n / bare:,.0f}"
    return Figure(name, n / ours, "vectors/s", limit, note=f"{bare / ours:.0%} of it")
