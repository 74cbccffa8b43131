"""Coverage: what is left of candidates when only the first so many of them are kept.

In embedding space: how far every candidate is from the nearest that is kept, and which share of
their clusters is hit. By labels: classes left, the smallest, and how far the shares of the classes
moved. And which share of the repetition in near-duplicate groups is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartdb import clusters
from smartdb.clusters import Floats, Ints

PROBES = 5000
"""Candidates whose distance to the kept is measured: if there are more, so many at random."""


@dataclass(frozen=True)
class Spread:
    """In embedding space, of ``n_probes`` candidates; the distances are None if none is kept."""

    n_probes: int
    mean_distance: float | None
    p95_distance: float | None
    clusters_hit: float


@dataclass(frozen=True)
class Balance:
    """By labels: classes left, kept media of the smallest, total variation distance of shares."""

    n_classes: int
    smallest_class: int
    class_distance: float | None


def spreads(vectors: Floats, kept: Sequence[int], seed: int = 0) -> list[Spread]:
    """What the first so many of unit vectors (n, d) cover of all, for each number in ``kept``.

    As each fraction holds the smaller ones, the vectors are gone through once: the time is that
    of probes x max(kept) x d, beside the vectors it takes 16 MB.
    """
    n = len(vectors)
    rng = np.random.default_rng(seed)
    probes = np.sort(rng.permutation(n)[:PROBES])
    of = clusters.kmeans(vectors, clusters.usual(n), seed).of
    similarity = np.full(len(probes), -np.inf, np.float32)
    found, done = {}, 0
    for n_kept in sorted(set(kept)):
        if n_kept < n:
            _come_nearer(similarity, vectors[probes], vectors[done:n_kept])
        else:
            similarity[:] = 1
        done = n_kept
        hit = len(np.unique(of[:n_kept])) / (of.max() + 1)
        found[n_kept] = _spread(np.clip(1 - similarity, 0, 2), hit, n_kept)
    return [found[n_kept] for n_kept in kept]


def balances(classes: Ints, kept: Sequence[int]) -> list[Balance]:
    """What the first so many of classes (n,), -1 for none, keep of each class."""
    labelled = classes >= 0
    _, y = np.unique(classes[labelled], return_inverse=True)
    whole = np.bincount(y)
    found = []
    for n_kept in kept:
        counts = np.bincount(y[: labelled[:n_kept].sum()], minlength=len(whole))
        shares = counts / max(1, counts.sum())
        moved = float(np.abs(shares - whole / whole.sum()).sum() / 2) if counts.sum() else None
        found.append(Balance(int((counts > 0).sum()), int(counts.min()), moved))
    return found


def repetition_dropped(groups: Ints, kept: Sequence[int]) -> list[float | None]:
    """Share of the repetition (n,) groups, -1 for none, that goes when the first so many stay.

    The repetition of a group is its members but one; None where no group has two.
    """
    whole = _repetition(groups)
    return [1 - _repetition(groups[:n_kept]) / whole if whole else None for n_kept in kept]


def _repetition(groups: Ints) -> int:
    grouped = groups[groups >= 0]
    return len(grouped) - len(np.unique(grouped))


def _come_nearer(similarity: NDArray[np.float32], probes: Floats, come: Floats) -> None:
    """Raises the similarity (p,) of probes to the nearest kept by those that come to be kept."""
    for rows in clusters.blocks(len(come), len(probes)):
        np.maximum(similarity, (probes @ come[rows].T).max(axis=1), out=similarity)


def _spread(distance: NDArray[np.float32], hit: float, n_kept: int) -> Spread:
    if not n_kept:
        return Spread(len(distance), None, None, 0.0)
    distance[distance < clusters.SAME] = 0
    p95 = float(np.quantile(distance, 0.95))
    return Spread(len(distance), float(distance.mean()), p95, hit)
