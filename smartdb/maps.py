"""Two-dimensional maps of vectors: by PCA, or by PaCMAP (extra ``maps``).

PCA is a projection, so what comes later is projected the same way. PaCMAP (Wang, Huang, Rudin and
Shaposhnik, Understanding how dimension reduction tools work, 2021) keeps neighbours together; what
comes later is put between its neighbours, and nothing moves.
"""

from __future__ import annotations

import logging
import warnings
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from smartdb.errors import InvalidInput
from smartdb.heads import needs

Method = Literal["pca", "pacmap"]
METHODS: tuple[Method, ...] = get_args(Method)

SAMPLE = 50_000
"""Vectors that are enough to find the principal components."""

FEWEST = 16
"""Media that PaCMAP needs."""

Floats = NDArray[np.float32]


def components(vectors: Floats) -> Floats:
    """Mean and the first two principal components of vectors (n, d), as rows (3, d).

    The largest value of a component is positive; a component that there is not is 0. They are
    rounded to what halfvec holds, so that the map is the same when they were stored.
    """
    sample = vectors[:: max(1, len(vectors) // SAMPLE)].astype(np.float64)
    mean = sample.mean(axis=0)
    _, found = np.linalg.eigh((sample - mean).T @ (sample - mean))
    axes = found[:, ::-1][:, :2].T
    largest = np.abs(axes).argmax(axis=1)
    axes *= np.sign(axes[np.arange(len(axes)), largest])[:, None]
    rows = np.zeros((3, vectors.shape[1]))
    rows[0], rows[1 : 1 + len(axes)] = mean, axes
    rounded: Floats = rows.astype(np.float16).astype(np.float32)
    return rounded


def project(vectors: Floats, rows: Floats) -> Floats:
    """Places (n, 2) of vectors by what `components` returned."""
    places: Floats = (vectors - rows[0]) @ rows[1:].T
    return places


def pacmap(vectors: Floats, seed: int) -> Floats:
    """Places (n, 2) by PaCMAP; the same seed on the same machine gives the same places."""
    needs("pacmap", "a map by PaCMAP", "maps")
    if len(vectors) < FEWEST:
        raise InvalidInput(
            f"PaCMAP needs at least {FEWEST} media, there are {len(vectors)}; use --method pca"
        )
    logging.getLogger("pacmap").setLevel(logging.ERROR)  # it warns that there is a seed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pacmap import PaCMAP

        places = PaCMAP(n_components=2, random_state=seed).fit_transform(vectors)
    return np.asarray(places, np.float32)
