"""Pruning: accuracy of a head trained on what each method keeps, and the speed of SemDeDup.

Accuracy is on held-out pictures (30 %), for heads on descriptor vectors of the packaged digits and,
where ../shared/data is, of CIFAR-10: median and range over seeds (of split, scores and head), and
the difference to random of the same seed. The speed is held against SemDeDup as one writes it down
in numpy, with as many clusters, in the same run.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks import alike
from benchmarks.harness import Figure, machine, seconds, show
from benchmarks.synthetic import Mixture
from smartdb import clusters, encoders, semdedup
from smartdb.heads import fit_head
from smartdb.semdedup import Side

KEEPS = (1.0, 0.5, 0.2, 0.1, 0.05, 0.01)
EPS = 0.05
PLANTED = 0.2  # of the vectors are others almost again

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def main(quick: bool = False) -> None:
    """Prints a table of accuracies for each set of pictures, then the figures of speed."""
    for name, vectors, classes in _pictures(quick):
        _accuracies(name, vectors, classes, range(2 if quick else 5))
    sizes = (500, 2000) if quick else (10_000, 30_000, 100_000)
    show(f"semdedup: up to {sizes[-1]:,} x 512, eps {EPS}", _speed(sizes))


def _pictures(quick: bool) -> Iterator[tuple[str, Floats, Ints]]:
    encoder = encoders.load("descriptor")
    with alike._digits() as digits:
        for pictures in (digits,) if quick else (digits, *alike._photos()):
            batches = encoder.encode_files([*pictures.files])
            vectors = clusters.unit(np.concatenate([batch.vectors for batch in batches]))
            _, classes = np.unique(pictures.classes, return_inverse=True)
            yield pictures.name.split(",")[0], vectors, classes.astype(np.int64)


def _accuracies(name: str, vectors: Floats, classes: Ints, seeds: range) -> None:
    found: dict[str, list[list[float]]] = {}
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(vectors))
        test, train = np.split(order, [round(0.3 * len(order))])
        x, y = vectors[train], classes[train]
        for method, keep_order in _orders(x, y, seed).items():
            row = [
                _accuracy(x[at], y[at], vectors[test], classes[test], seed)
                for at in (keep_order[: max(2, round(keep * len(x)))] for keep in KEEPS)
            ]
            found.setdefault(method, []).append(row)
    n = round(0.7 * len(vectors))
    print(
        f"\nprune: accuracy on held-out {name}, trained on a fraction of {n:,}, {len(seeds)} seeds"
    )
    print(f"{machine()}\n  {'kept':<18}" + "".join(f"{keep:>18.0%}" for keep in KEEPS))
    chance = np.array(found["random"])
    for method, rows in found.items():
        scores = np.array(rows)
        print(f"  {method:<18}" + "".join(map(_cell, scores.T, (scores - chance).T)), flush=True)
    print("  median (range); and the median difference to random of the same seed, in points")


def _orders(x: Floats, y: Ints, seed: int) -> dict[str, Ints]:
    """Rows in the order in which each method keeps them, as `smartdb.pruning` orders them."""
    n_classes = int(y.max()) + 1
    seen = [fit_head(x, y, n_classes, seed=seed * 10 + i, weight_decay=10.0) for i in range(3)]
    watched = [head.dynamics for head in seen if head.dynamics is not None]
    el2n = np.mean([each.el2n for each in watched], axis=0)
    events = [np.where(w.n_correct > 0, w.n_forgotten, w.n_epochs) for w in watched]
    far = 1 - clusters.kmeans(x, clusters.usual(len(x)), seed).similarity
    sides: dict[str, Side] = {"hard": "hard", "easy": "easy"}
    hardness = {"prototypes": far, "el2n": el2n, "forgetting": np.mean(events, axis=0)}
    scores = {"random": np.zeros(len(x))}
    for side in sides.values():
        scores[f"semdedup {side}"] = semdedup.redundancy(x, seed=seed, side=side).distance
    for method, each in hardness.items():
        scores |= {f"{method} hard": each, f"{method} easy": -each}
    draw = np.random.default_rng(seed).random(len(x))
    return {method: np.lexsort((draw, -score)) for method, score in scores.items()}


def _accuracy(x: Floats, y: Ints, x_test: Floats, y_test: Ints, seed: int) -> float:
    head = fit_head(x, y, int(y_test.max()) + 1, seed=seed, weight_decay=10.0)
    return float((head.probabilities(x_test).argmax(axis=1) == y_test).mean())


def _cell(scores: NDArray[np.float64], gained: NDArray[np.float64]) -> str:
    low, median, high = 100 * np.array([scores.min(), np.median(scores), scores.max()])
    return f"{f'{median:.0f} ({low:.0f}-{high:.0f}) {100 * np.median(gained):+.1f}':>18}"


def _speed(sizes: tuple[int, ...]) -> list[Figure]:
    figures, took = [], []
    for n in sizes:
        vectors, n_planted = _planted(n)
        dropped = np.zeros(n, bool)

        def ours(x: Floats = vectors, into: NDArray[np.bool_] = dropped) -> None:
            into[:] = semdedup.redundancy(x, seed=0).is_duplicate(EPS)

        tracemalloc.start()
        took.append(seconds(ours))
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        recall = 100 * min(1.0, dropped.sum() / n_planted)
        figures += [
            Figure(f"{n:,}: ours", took[-1], "s", note=f"peak {peak:.0f} MB beside the vectors"),
            Figure(f"{n:,}: dropped, of the planted", float(recall), "%"),
        ]
    k = len(clusters.partition(vectors, semdedup.CLUSTER_SIZE, 0))
    plain = seconds(lambda: _plain(vectors, k))
    exponent = np.polyfit(np.log(sizes), np.log(took), 1)[0]
    return [
        *figures,
        Figure(f"{sizes[-1]:,}: plain numpy, {k} clusters", plain, "s"),
        Figure("ours, of plain numpy", took[-1] / plain, "x", "< 1.5 x", took[-1] < 1.5 * plain),
        Figure("exponent of growth", float(exponent), "", "< 1.3", bool(exponent < 1.3)),
    ]


def _planted(n: int) -> tuple[Floats, int]:
    """Unit vectors (n, 512), of which a share are others again at a cosine distance near 0.02."""
    n_planted = round(PLANTED * n)
    whole = np.concatenate([some for _, some in Mixture(n - n_planted).chunks()])
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((n_planted, 512), dtype=np.float32) * np.float32(0.2 / 512**0.5)
    return clusters.unit(np.concatenate([whole, whole[:n_planted] + noise])), n_planted


def _plain(x: Floats, k: int, rounds: int = clusters.ROUNDS) -> int:
    """SemDeDup written down: Lloyd's k-means over all, then a whole matrix for each cluster."""
    centres = x[np.random.default_rng(0).permutation(len(x))[:k]]
    for _ in range(rounds):
        of = (x @ centres.T).argmax(axis=1)
        means = [x[of == c].sum(axis=0) if (of == c).any() else centres[c] for c in range(k)]
        centres = clusters.unit(np.stack(means))
    of = (x @ centres.T).argmax(axis=1)
    n = 0
    for c in range(k):
        rows = np.flatnonzero(of == c)
        rows = rows[np.argsort(x[rows] @ centres[c])]
        similarity = np.triu(x[rows] @ x[rows].T, 1)
        n += int((similarity.max(axis=0) > 1 - EPS).sum()) if len(rows) else 0
    return n
