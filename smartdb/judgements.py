"""Judgements: what several people said of the same media, and how far each label is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.crowdlab import crowdlab

Array = NDArray[Any]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Judgements:
    """One row for each judgement (m,): of which row, by which actor from 0 on, which class.

    At most one of an actor on a row.
    """

    rows: Ints
    actors: Ints
    classes: Ints

    def table(self, rows: Ints) -> NDArray[np.float64]:
        """What each actor (column) said of these rows, ascending; NaN for nothing."""
        found = np.full((len(rows), int(self.actors.max()) + 1), np.nan)
        place = np.searchsorted(rows, self.rows)
        held = (place < len(rows)) & (rows[np.minimum(place, len(rows) - 1)] == self.rows)
        found[place[held], self.actors[held]] = self.classes[held]
        return found


@dataclass(frozen=True)
class Quality:
    """How far the label of each row (n,) is trusted, NaN for unknown; whether another is better."""

    quality: NDArray[np.float64]
    prefers_another: NDArray[np.bool_]


def label_quality(judgements: Judgements, labels: Ints, probabilities: Array) -> Quality:
    """CROWDLAB's quality of the labels that rows count as, where two people or more judged a row.

    By `cleanlab.multiannotator` (Goh et al. 2022): judgements and the model, weighted by how often
    they agree; another class is better where its consensus is another. Memory is rows by actors.
    InvalidInput without cleanlab.
    """
    n_said = np.bincount(judgements.rows, minlength=len(labels))
    rows = np.flatnonzero(n_said >= 2)
    quality, better = np.full(len(labels), np.nan), np.zeros(len(labels), bool)
    if len(rows):
        table = judgements.table(rows)
        table = table[:, ~np.isnan(table).all(axis=0)]
        model = np.asarray(probabilities[rows], np.float64)
        found = crowdlab(table, model, detailed=True)
        given = np.where(table == labels[rows, None], found.judgements, np.nan)
        known = ~np.isnan(given).all(axis=1)
        quality[rows[known]] = np.nanmax(given[known], axis=1)
        better[rows[known]] = found.classes[known] != labels[rows[known]]
    return Quality(quality, better)
