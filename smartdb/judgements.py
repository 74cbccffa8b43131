"""Judgements: what several people said of the same media, and how far each label is trusted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.errors import SmartdbError

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
    SmartdbError without cleanlab.
    """
    n_said = np.bincount(judgements.rows, minlength=len(labels))
    rows = np.flatnonzero(n_said >= 2)
    quality, better = np.full(len(labels), np.nan), np.zeros(len(labels), bool)
    if len(rows):
        table = judgements.table(rows)
        table = table[:, ~np.isnan(table).all(axis=0)]
        consensus, of_each = crowdlab(table, np.asarray(probabilities[rows], np.float64))
        given = np.where(table == labels[rows, None], of_each, np.nan)
        known = ~np.isnan(given).all(axis=1)
        quality[rows[known]] = np.nanmax(given[known], axis=1)
        better[rows[known]] = consensus[known] != labels[rows[known]]
    return Quality(quality, better)


def crowdlab(
    table: NDArray[np.float64], probabilities: NDArray[np.float64]
) -> tuple[Ints, NDArray[np.float64]]:
    """The best class of each row (n,), and how far each judgement (n, actors) is trusted.

    ``table`` is the class that each actor gave, NaN for none.
    """
    try:
        from cleanlab.multiannotator import get_label_quality_multiannotator
    except ImportError as error:
        raise SmartdbError(
            "judging by several people needs cleanlab; run: pip install 'smartdb[labels]'"
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of people who agree with nobody
        found = get_label_quality_multiannotator(
            table, probabilities, return_annotator_stats=False, verbose=False
        )
    consensus = found["label_quality"]["consensus_label"].to_numpy()
    return consensus.astype(np.int64), found["detailed_label_quality"].to_numpy()
