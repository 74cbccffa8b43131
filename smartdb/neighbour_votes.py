"""Neighbour votes: what the nearest neighbours of a media say about its class.

``neighbours`` (n, k) holds, row by row, the rows of the nearest neighbours, nearest first, -1 where
there are fewer. Time and memory are those of the lists, never n x n.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.errors import InvalidInput

Array = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def disagreement(labels: Array, neighbours: Array, distances: Array | None = None) -> Floats:
    """Share of the neighbours that have another class (n,), NaN for rows without a neighbour.

    With cosine ``distances`` (n, k) the nearer count more, by their similarity, as in the view
    smartdb.label_disagreement.
    """
    labels, neighbours = _checked(labels, neighbours)
    weights = _weights(neighbours, distances)
    differs = labels[neighbours] != labels[:, None]
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(total > 0, (weights * differs).sum(axis=1) / total, np.nan))


def votes(
    labels: Array, neighbours: Array, n_classes: int, distances: Array | None = None
) -> Floats:
    """The share of the votes of the neighbours for each class (n, c); NaN for rows without any."""
    labels, neighbours = _checked(labels, neighbours)
    weights = _weights(neighbours, distances)
    cells = np.arange(len(labels))[:, None] * n_classes + labels[neighbours]
    found = np.bincount(
        cells.ravel(), weights=weights.ravel(), minlength=len(labels) * n_classes
    ).reshape(len(labels), n_classes)
    with np.errstate(invalid="ignore"):
        return np.asarray(found / found.sum(axis=1, keepdims=True))


def shapley(labels: Array, neighbours: Array) -> Floats:
    """KNN-Shapley value of each row (n,), from 0 to 1: below 0.5 it misleads its neighbours' vote.

    Jia et al. 2019 (arXiv:1908.08619), equations 18 and 19, with each row as a test of the others:
    equal to cleanlab's `data_shapley_knn`, whose n x n matrix is never made. A row with fewer
    than k neighbours is a test of those it has.
    """
    labels, neighbours = _checked(labels, neighbours)
    known = neighbours >= 0
    agrees = (labels[neighbours] == labels[:, None]).astype(np.int64)
    steps = (agrees[:, :-1] - agrees[:, 1:]) * known[:, 1:]
    # what row i gives its j-th neighbour: the steps from j on, summed (that of the last is 0)
    given = np.cumsum(steps[:, ::-1], axis=1)[:, ::-1]
    to = neighbours[:, :-1][known[:, :-1]]
    total = np.bincount(to, weights=given[known[:, :-1]], minlength=len(labels))
    return np.asarray(0.5 * (total / neighbours.shape[1] / len(labels) + 1))


def _weights(neighbours: Ints, distances: Array | None) -> Floats:
    known = neighbours >= 0
    if distances is None:
        return known.astype(np.float64)
    return np.where(known, np.clip(1 - np.asarray(distances, np.float64), 0, None), 0.0)


def _checked(labels: Array, neighbours: Array) -> tuple[Ints, Ints]:
    labels, neighbours = np.asarray(labels, np.int64), np.asarray(neighbours, np.int64)
    if neighbours.ndim != 2 or len(neighbours) != len(labels) or not neighbours.shape[1]:
        raise InvalidInput(f"labels {labels.shape} and neighbours {neighbours.shape}; give (n, k)")
    if neighbours.size and not -1 <= neighbours.min() <= neighbours.max() < len(labels):
        raise InvalidInput("a neighbour is none of the rows")
    return labels, neighbours
