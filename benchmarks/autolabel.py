"""Automated labelling: the label model, the neighbour vote and the threshold, against plain numpy.

The label model is held against the same expectation maximisation over all items, and against a
majority's accuracy on planted votes; the vote against scikit-learn's exact nearest neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Figure, machine, seconds, show
from smartdb import calibration, label_model, neighbour_vote
from smartdb.label_model import LabelModel

PRECISION = np.array([0.9, 0.8, 0.6, 0.9, 0.7, 0.5, 0.9, 0.8, 0.7, 0.6])
N_CLASSES, DIM, LABELLED = 5, 512, 10  # one media in ten has a class

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def main(quick: bool = False) -> None:
    """Prints the tables."""
    n = 20_000 if quick else 1_000_000
    show(f"label model: {n:,} media x {len(PRECISION)} functions", _label_model(n))
    n = 2_000 if quick else 100_000
    show(f"neighbour vote: {n:,} media x {DIM}, one in {LABELLED} labelled", _vote(n))
    n = 10_000 if quick else 1_000_000
    show(f"threshold on {n:,} gold items", _threshold(n))
    print(machine())


def _label_model(n: int) -> list[Figure]:
    y, votes, of_class = planted(n)
    share = np.ones(N_CLASSES)
    fitted: list[LabelModel] = []
    ours = seconds(lambda: fitted.append(label_model.fit(votes, of_class, share)))
    model = fitted[0]
    said = model.combine(votes)
    combine = seconds(lambda: model.combine(votes))
    few = votes[: n // 10]
    loop = 10 * seconds(lambda: _plain(few, of_class))
    some = said.top >= 0
    right = float((said.top == y)[some].mean())
    counts = np.stack([votes[:, of_class == c].sum(axis=1) for c in range(N_CLASSES)], axis=1)
    tied = counts + np.random.default_rng(0).random(counts.shape) / 2
    majority = float((tied.argmax(axis=1) == y)[some].mean())
    error = float(np.abs(model.precision - PRECISION).max())
    return [
        Figure("fit", ours, "s"),
        Figure("combine", combine, "s"),
        Figure("20 iterations over all items, plain numpy", loop, "s", note="tenth, x 10"),
        Figure("plain / ours", loop / (ours + combine), "x", "at least 1", loop > ours + combine),
        Figure("accuracy", right, "", "above a majority", right > majority),
        Figure("accuracy of a majority", majority, ""),
        Figure("largest error of a precision", error, "", "at most 0.05", error <= 0.05),
    ]


def _vote(n: int) -> list[Figure]:
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(0)
    y = rng.integers(0, N_CLASSES, n)
    centres = rng.standard_normal((N_CLASSES, DIM))
    vectors = (centres[y] + 4 * rng.standard_normal((n, DIM))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labelled = np.arange(0, n, LABELLED)
    found: list[tuple[Ints, NDArray[np.float32]]] = []
    ours = seconds(
        lambda: found.append(neighbour_vote.vote(vectors, labelled, y[labelled], N_CLASSES))
    )
    peer = KNeighborsClassifier(10, algorithm="brute", metric="cosine")
    some = slice(0, n // 10)
    theirs = 10 * seconds(lambda: peer.fit(vectors[labelled], y[labelled]).predict(vectors[some]))
    top, sure = found[0]
    return [
        Figure("vote", ours, "s"),
        Figure("scikit-learn, exact", theirs, "s", note="a tenth, x 10"),
        Figure("scikit-learn / ours", theirs / ours, "x", "at least 1", theirs >= ours),
        Figure("accuracy", float((top == y).mean()), ""),
        Figure(
            "accuracy of the surest half", float((top == y)[sure >= np.median(sure)].mean()), ""
        ),
    ]


def _threshold(n: int) -> list[Figure]:
    rng = np.random.default_rng(0)
    sure = rng.random(n)
    right = rng.random(n) < 0.5 + 0.5 * sure
    took = seconds(lambda: calibration.threshold(sure, right, 0.9))
    plain = seconds(lambda: np.cumsum(right[np.argsort(-sure)]) / np.arange(1, n + 1))
    return [
        Figure("threshold", took, "s"),
        Figure("sort and precision alone", plain, "s"),
        Figure("ours / plain", took / plain, "x"),
    ]


def planted(n: int) -> tuple[Ints, Bools, Ints]:
    """Classes (n,), votes (n, m) of functions as precise as `PRECISION`, and their classes (m,)."""
    rng = np.random.default_rng(0)
    y, of_class = rng.integers(0, N_CLASSES, n), np.arange(len(PRECISION)) % N_CLASSES
    miss = 0.5 / (N_CLASSES - 1) * (1 - PRECISION) / PRECISION
    rate = np.where(y[:, None] == of_class, 0.5, miss)
    return y, rng.random(rate.shape) < rate, of_class


def _plain(votes: Bools, of_class: Ints) -> None:
    """The same expectation maximisation over all items, 20 iterations."""
    rate, own = votes.mean(axis=0), of_class[:, None] == np.arange(N_CLASSES)
    hit, miss = 0.7 * rate * N_CLASSES, 0.3 * rate * N_CLASSES / (N_CLASSES - 1)
    for _ in range(20):
        rates = np.where(own, hit[:, None], miss[:, None])
        log_p = votes @ np.log(rates) + ~votes @ np.log1p(-rates)
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        true = p[:, of_class]
        hit = (true * votes).sum(axis=0) / true.sum(axis=0)
        miss = ((1 - true) * votes).sum(axis=0) / (1 - true).sum(axis=0)
