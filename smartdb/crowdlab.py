"""CROWDLAB (Goh et al. 2022): what several annotators and a model say together, by cleanlab."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb.formats import library

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """The best class of each row (n,), how far it is trusted (n,), and each judgement (n, w).

    ``judgements`` are NaN where nobody judged, and where this was not asked for.
    """

    classes: NDArray[np.int64]
    quality: Floats
    judgements: Floats


def crowdlab(table: Floats, probabilities: Floats, *, detailed: bool) -> Answer:
    """What the rows are, by the class that each annotator gave (n, w), NaN for none, and a model.

    ``detailed`` tells how far each judgement is trusted, too. An annotator who said nothing of any
    row is left out of ``table`` before. InvalidInput where cleanlab is missing.
    """
    multiannotator: Any = library("cleanlab.multiannotator", "labels")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of people who agree with nobody
        found = multiannotator.get_label_quality_multiannotator(
            table,
            probabilities,
            return_detailed_quality=detailed,
            return_annotator_stats=False,
            verbose=False,
        )
    told, each = found["label_quality"], found.get("detailed_label_quality")
    return Answer(
        told["consensus_label"].to_numpy(np.int64),
        told["consensus_quality_score"].to_numpy(np.float64),
        np.full(table.shape, np.nan) if each is None else each.to_numpy(np.float64),
    )
