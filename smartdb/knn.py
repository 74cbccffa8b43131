"""Nearest neighbours by comparing all, tile by tile of a matrix product: exact, and incremental.

Similarity is symmetric, so each pair is compared once and offered to both ends. A media only looks
at what is nearer than the last neighbour it has, which few are, so that almost all the time goes
into the product. Approximate indexes were tried at 200,000 x 512 and took longer for less
(docs/decisions/018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartdb.embeddings import Progress

ROWS, COLUMNS = 2048, 8192
"""Vectors compared with each other at a time: 64 MB of similarities."""

_SLACK = 1e-5  # the product's last digits are not to be trusted: what is so near is computed again
_PAIRS = 16_384  # pairs that are computed again at a time: 64 MB of vectors of 512

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """The nearest of each row so far (n, k), -1 and infinity where there are fewer.

    Only what is at most ``limit`` (n,) away is looked for.
    """

    near: Ids
    distance: Floats
    limit: Floats

    @staticmethod
    def none(n: int, k: int, limit: Floats | None = None) -> Found:
        """Nothing found yet, and no limit unless given."""
        unlimited = np.full(n, np.inf, np.float32)
        near, distance = np.full((n, k), -1, np.int64), np.full((n, k), np.inf, np.float32)
        return Found(near, distance, unlimited if limit is None else limit)

    def reach(self, rows: Ids) -> Floats:
        """How far each looks by now."""
        reach: Floats = np.minimum(self.limit[rows], self.distance[rows, -1])
        return reach


def knn(vectors: Floats, k: int, progress: Progress | None = None) -> tuple[Ids, Floats]:
    """Rows of the ``min(k, n - 1)`` nearest others of each row, and their cosine distances.

    ``vectors`` are unit vectors (n, d) float32. The nearest comes first, of equal distances the
    smaller row. Memory beside the result is about 200 MB.
    """
    n = len(vectors)
    found = Found.none(n, max(0, min(k, n - 1)))
    compare(vectors, np.arange(n), found, progress)
    return found.near, found.distance


def compare(vectors: Floats, rows: Ids, found: Found, progress: Progress | None = None) -> None:
    """Compares ``rows`` with all vectors, and puts what is nearer than known into ``found``.

    Afterwards ``found`` holds of these rows the nearest of all, and of every other row those of
    these rows that are within its limit, the nearest first, of equal ones the smaller row: the
    same numbers whatever was compared together. ``progress`` gets the number of rows done.
    """
    if not found.near.shape[1]:
        return
    others = np.setdiff1d(np.arange(len(vectors)), rows, assume_unique=True)
    order = np.concatenate([rows, others])
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        mine = vectors[some]
        _offer(vectors, found, some, some, mine @ mine.T)
        for columns in _tiles(order, start + len(some)):
            similarity = mine @ vectors[columns].T
            _offer(vectors, found, some, columns, similarity)
            _offer(vectors, found, columns, some, similarity.T)
        if progress:
            progress(len(some))


def _tiles(order: Ids, start: int) -> Iterator[Ids]:
    return (order[at : at + COLUMNS] for at in range(start, len(order), COLUMNS))


def _offer(vectors: Floats, found: Found, rows: Ids, columns: Ids, similarity: Floats) -> None:
    """Takes those of ``columns`` that are near enough into the nearest of ``rows``."""
    row, column = _candidates(similarity, _levels(found, rows, similarity))
    ours, theirs = rows[row], columns[column]
    other = ours != theirs
    ours, theirs = ours[other], theirs[other]
    distance = distances(vectors, ours, theirs)
    near = distance <= found.reach(ours)
    if near.any():
        _merge(found, ours[near], theirs[near], distance[near])


def _levels(found: Found, rows: Ids, similarity: Floats) -> Floats:
    """The similarity from which on a column is a candidate of a row; the best few of a new row."""
    levels = 1 - found.reach(rows)
    k = found.near.shape[1] + 1  # one may be the row itself
    new = np.flatnonzero(np.isinf(levels))
    if len(new) and similarity.shape[1] > k:
        levels[new] = np.partition(similarity[new], -k, axis=1)[:, -k]
    return levels - _SLACK


def _candidates(similarity: Floats, levels: Floats) -> tuple[Ids, Ids]:
    """Rows and columns of what reaches the level of its row, read in the order of memory."""
    if similarity.flags.c_contiguous:
        flat = np.flatnonzero(similarity >= levels[:, None])
        row, column = np.divmod(flat, similarity.shape[1])
        return row, column
    flat = np.flatnonzero(levels[None, :] <= similarity.T)
    column, row = np.divmod(flat, similarity.shape[0])
    return row, column


def distances(vectors: Floats, a: Ids, b: Ids) -> Floats:
    """Cosine distances of pairs of rows, each computed the same way wherever it stands."""
    found = np.empty(len(a), np.float32)
    for start in range(0, len(a), _PAIRS):
        part = slice(start, start + _PAIRS)
        found[part] = 1 - np.einsum("nd,nd->n", vectors[a[part]], vectors[b[part]])
    return np.clip(found, 0, 2, out=found)


def _merge(found: Found, rows: Ids, others: Ids, distance: Floats) -> None:
    """The nearest of what is known and of these pairs, of which each is new."""
    order = np.lexsort((others, distance, rows))
    rows, others, distance = rows[order], others[order], distance[order]
    changed, first, place = np.unique(rows, return_index=True, return_inverse=True)
    rank = np.arange(len(rows)) - first[place]
    k = found.near.shape[1]
    kept = rank < k
    into = place[kept], k + rank[kept]
    near = np.full((len(changed), 2 * k), -1, np.int64)
    far = np.full((len(changed), 2 * k), np.inf, np.float32)
    near[:, :k], far[:, :k] = found.near[changed], found.distance[changed]
    near[into], far[into] = others[kept], distance[kept]
    best = np.lexsort((near, far), axis=1)[:, :k]
    found.near[changed] = np.take_along_axis(near, best, axis=1)
    found.distance[changed] = np.take_along_axis(far, best, axis=1)
