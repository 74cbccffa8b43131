"""Sampling: what SQL takes at a million, k-center beside numpy, and how well the diverse cover.

    python -m benchmarks sample [--quick]

Coverage is the mean cosine distance of all pictures to the nearest chosen: small is good. Beside
it stand the largest, which is what k-center makes small, and how many pictures have the class of
their nearest chosen. The pictures are those of ../shared/data/cifar10, seen by SqueezeNet where
its weights are there too; without them (and with --quick) they are a mixture.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from benchmarks import load
from benchmarks.harness import Figure, held, run, scratch, seconds, session, show
from benchmarks.synthetic import Mixture
from smartdb import batches, embeddings, predicates, sampling
from smartdb.database import connect

SHARED = Path(__file__).parents[2] / "shared" / "data"
SQUEEZENET = SHARED / "models" / "squeezenet1_1_imagenet_caffe_fp16.pt"
PREPARED = "bgr=1&mean=104,117,123&scale=255&size=227&name=squeezenet"
SEEDS = range(5)
IN_SQL = {
    "random": (2.0, "select * from smartdb.sample_random(%(n)s, 7)"),
    "stratified by class": (2.0, "select * from smartdb.sample_stratified(%(n)s, 7)"),
    "balanced": (None, "select * from smartdb.sample_balanced(%(n)s, 7)"),
    "stratified by an expression": (
        None, "select * from smartdb.sample_stratified(%(n)s, 7, stratum => 'm.n_bytes % 10')",
    ),
    "weighted": (None, "select * from smartdb.sample_weighted(%(n)s, 7, weight => 'm.brightness')"),
    "random of 1 %": (None, "select * from smartdb.sample_random(%(n)s, 7, 'm.brightness < 0.01')"),
}  # fmt: skip


def main(quick: bool = False) -> None:
    """Samples 10,000 of 1,000,000 and 1,000 of 100,000 (100 of 5,000 and 50 of 1,000)."""
    n, n_vectors = (5_000, 1_000) if quick else (1_000_000, 100_000)
    mixture = Mixture(n_vectors, centres=50 if quick else 2000)
    with scratch() as url:
        with session(url, "smartdb_owner") as conn:
            load.fill_rows(conn, n)
            load.add_vectors(conn, mixture)
        with session(url, "smartdb_reader") as conn:
            show(f"sample {n // 100:,} of {n:,}, in SQL", _in_sql(conn, n // 100))
        with connect(url) as conn:
            n_chosen = n_vectors // (20 if quick else 100)
            title = f"sample {n_chosen:,} of {n_vectors:,} x {mixture.dim}"
            show(title, _k_center(conn, mixture, n_chosen))
            predicate, truth = f"m.media_id <= {min(n_vectors, 3000)}", None
            if quick or not SHARED.is_dir():
                show("coverage of a mixture", _ablation(conn, "bench", predicate, truth, (20,)))
    if not quick and SHARED.is_dir():
        _of_real_pictures()


def _in_sql(conn: psycopg.Connection[Any], n: int) -> list[Figure]:
    figures = []
    for name, (limit, query) in IN_SQL.items():
        took = run(conn, query.replace("%(n)s", str(n)))
        figures.append(held(name, took, limit))
    return figures


def _k_center(conn: psycopg.Connection[Any], mixture: Mixture, n: int) -> list[Figure]:
    """Ours, with reading the vectors and writing the batch, beside numpy on vectors in memory."""
    ids, x = embeddings.read_vectors(conn, "bench")
    asked: dict[str, Any] = {"predicate": f"m.media_id <= {mixture.n}", "encoder": "bench"}
    found: list[int] = []
    ours = seconds(lambda: found.append(sampling.sample(conn, "k-center", n, **asked)))
    chosen = np.array([item.media_id for item in batches.items(conn, found[0])])
    plain: list[NDArray[np.int64]] = []
    first = int(np.searchsorted(ids, chosen[0]))
    peer = seconds(lambda: plain.append(_plain_k_center(x, first, n)))
    same = float((ids[plain[0]] == chosen).mean())
    ratio = ours / peer
    return [
        Figure("k-center, plain numpy", peer, "s"),
        Figure("k-center, from the database into a batch", ours, "s"),
        Figure(
            "ratio",
            ratio,
            "x",
            "<= 1.5",
            ratio <= 1.5 if mixture.n >= 100_000 else None,
            f"{same:.1%} of the choice is the same",
        ),
    ]


def _plain_k_center(x: NDArray[np.float32], first: int, n: int) -> NDArray[np.int64]:
    chosen = np.zeros(n, np.int64)
    chosen[0] = first
    nearest = 1 - x @ x[first]
    for place in range(1, n):
        chosen[place] = nearest.argmax()
        np.minimum(nearest, 1 - x @ x[chosen[place]], out=nearest)
    return chosen


def _of_real_pictures() -> None:
    from smartdb import ingest

    with scratch() as url, connect(url) as conn:
        ingest.ingest(conn, SHARED / "cifar10" / "images", source="cifar10")
        spec = f"torchvision:squeezenet1_1@{SQUEEZENET}?{PREPARED}"
        encoder = embeddings.resolve(conn, spec if SQUEEZENET.exists() else "descriptor")
        embeddings.embed(conn, encoder)
        rows = conn.execute(
            "select media_id, split_part(uri, '/', -2) from smartdb.media"
        ).fetchall()
        truth = dict(rows)
        sizes = (20, 100, 400)
        show(f"coverage of {len(truth):,} pictures of cifar10 by {encoder.name}",
             _ablation(conn, encoder.name, "true", truth, sizes))  # fmt: skip


def _ablation(
    conn: psycopg.Connection[Any],
    encoder: str,
    predicate: str,
    truth: dict[int, str] | None,
    sizes: tuple[int, ...],
) -> list[Figure]:
    ids, x = embeddings.read_vectors(conn, encoder)
    within = np.isin(ids, predicates.members(conn, predicate))
    ids, x = ids[within], x[within]
    classes = np.array([truth[i] for i in ids.tolist()]) if truth else np.zeros(len(ids))
    figures = []
    for n in sizes:
        base = None
        for strategy in ("random", "k-means", "typical", "k-center"):
            asked = {"predicate": predicate, "encoder": encoder}
            seen = [_measured(conn, ids, x, classes, strategy, n, seed, asked) for seed in SEEDS]
            mean, spread = np.mean(seen, axis=0), np.std(seen, axis=0)
            base = mean[0] if base is None else base
            note = f"largest {mean[1]:.3f}"
            note += (
                f", class of the nearest right {mean[2]:.1%} +- {spread[2]:.1%}" if truth else ""
            )
            limit = f"{mean[0] / base:.2f}x random, +- {spread[0]:.4f}"
            figures.append(
                Figure(f"{strategy}, {n}", float(mean[0]), "distance", limit, None, note)
            )
    return figures


def _measured(
    conn: psycopg.Connection[Any],
    ids: NDArray[np.int64],
    x: NDArray[np.float32],
    classes: NDArray[Any],
    strategy: str,
    n: int,
    seed: int,
    asked: dict[str, Any],
) -> tuple[float, float, float]:
    """Mean and largest distance to the nearest chosen, and how often it has the same class."""
    made = sampling.sample(conn, strategy, n, seed=seed, **asked)
    chosen = np.searchsorted(ids, [item.media_id for item in batches.items(conn, made)])
    alike = x @ x[chosen].T
    away = np.maximum(1 - alike.max(axis=1), 0)
    right = classes[chosen][alike.argmax(axis=1)] == classes
    return float(away.mean()), float(away.max()), float(right.mean())


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
