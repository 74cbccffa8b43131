"""k-means on unit vectors (spherical, Dhillon and Modha 2001), in numpy alone and by blocks.

Centres are placed on a sample of `PER_CENTRE` vectors each, as faiss does, so the cost is that of
giving each vector its centre once: n k d. Where many clusters are wanted, `partition` splits and
splits again, which costs n log n. The same seed on the same machine gives the same clusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartdb.errors import InvalidInput

ROUNDS = 20
"""Times that centres move at most; they stop when no vector changes its centre."""

PER_CENTRE = 256
"""Vectors that are enough to place a centre."""

BRANCHES = 32
"""Parts into which `partition` splits at a time, at most."""

SAME = 1e-6
"""Cosine distances below this are rounding: the vectors are the same."""

_BLOCK = 4 << 20  # float32 similarities held at a time: 16 MB

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """The cluster of each vector, (n,); unit centres (k, d); similarity (n,) to the own centre."""

    of: Ints
    centres: Floats
    similarity: Floats


def kmeans(
    vectors: Floats, k: int, seed: int, rounds: int = ROUNDS, start: Floats | None = None
) -> Clusters:
    """``min(k, n)`` clusters of unit vectors (n, d) by cosine similarity; none is empty.

    ``start`` are the first centres (k, d), by default k of the vectors drawn by the seed.
    Where fewer than k vectors differ there are fewer clusters. InvalidInput for k below 1.
    """
    if k < 1:
        raise InvalidInput(f"k-means needs one cluster or more, not {k}")
    rng = np.random.default_rng(seed)
    some = rng.permutation(len(vectors))[: PER_CENTRE * k]
    sample = vectors[np.sort(some)] if len(some) < len(vectors) else vectors
    centres = _distinct(vectors[some[:k]] if start is None else start)
    before = None
    for _ in range(rounds):
        of, similarity = nearest(sample, centres)
        if before is not None and np.array_equal(of, before):
            break
        before = of
        centres = _moved(sample, of, similarity, k)
    of, similarity = nearest(vectors, centres)
    used, of = np.unique(of, return_inverse=True)
    return Clusters(of.astype(np.int64), centres[used], similarity)


def usual(n: int) -> int:
    """How many clusters n vectors are told apart in, unless asked: sqrt(n / 2), at most 100."""
    return int(np.clip(np.sqrt(n / 2), 1, 100))


def partition(vectors: Floats, largest: int, seed: int) -> list[Ints]:
    """Rows of unit vectors (n, d) in groups of at most ``largest`` that lie close together.

    k-means of k-means. Vectors that are all the same stay in one group, however many they are.
    """
    if largest < 1:
        raise InvalidInput(f"a cluster holds one media or more, not {largest}")
    return list(_split(vectors, np.arange(len(vectors)), largest, seed))


def nearest(vectors: Floats, centres: Floats) -> tuple[Ints, Floats]:
    """The centre with the largest similarity to each vector (ties: the first), and how large."""
    of, similarity = np.zeros(len(vectors), np.int64), np.zeros(len(vectors), np.float32)
    for rows in blocks(len(vectors), len(centres)):
        found = vectors[rows] @ centres.T
        of[rows] = found.argmax(axis=1)
        similarity[rows] = found.max(axis=1)
    return of, similarity


def blocks(n: int, width: int) -> Iterator[slice]:
    """Slices of n rows such that rows times ``width`` similarities take about 16 MB."""
    step = max(1, _BLOCK // max(width, 1))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def members(of: Ints) -> list[Ints]:
    """The rows of each cluster, in ascending order."""
    order = np.argsort(of, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(of[order])) + 1) if len(of) else []


def unit(vectors: Floats) -> Floats:
    """Vectors (n, d) of length 1 again after halfvec's rounding; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = vectors / np.where(length > 0, length, 1).astype(np.float32)
    return np.asarray(scaled, np.float32)


def _split(vectors: Floats, rows: Ints, largest: int, seed: int) -> Iterator[Ints]:
    if len(rows) <= largest:
        if len(rows):
            yield rows
        return
    k = min(BRANCHES, -(-2 * len(rows) // largest))
    some = vectors if len(rows) == len(vectors) else vectors[rows]  # no copy of all
    parts = members(kmeans(some, k, seed).of)
    if len(parts) == 1:
        yield rows
        return
    for part in parts:
        yield from _split(vectors, rows[part], largest, seed)


def _moved(sample: Floats, of: Ints, similarity: Floats, k: int) -> Floats:
    """Where the means of clusters point; as many worst placed vectors as are missing to k."""
    means = np.stack([sample[rows].sum(axis=0) for rows in members(of)])
    worst = np.argsort(similarity, kind="stable")[: k - len(means)]
    return _distinct(np.concatenate([unit(means), sample[worst]]))


def _distinct(centres: Floats) -> Floats:
    """Without those that equal one before: vectors that are the same must not be parted."""
    alike = np.triu(centres @ centres.T > 1 - SAME, 1)
    return centres[~alike.any(axis=0)]
