"""Detectors of label errors: what each says of every label, side by side.

A detector has a score, how suspicious each label is, and a rule, which labels it would ask about.
Those that look at probabilities are the rules of `smartdb.confident` and the filters of
`smartdb.label_filters`; others ask the neighbours of a media, or the others who labelled it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb import confident, judgements, label_filters, label_quality, neighbour_votes
from smartdb.errors import InvalidInput
from smartdb.judgements import Judgements
from smartdb.label_filters import Examined

Array = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

DEFAULT = "rank"
"""The detector that fills the review queue until verdicts say otherwise (docs/decisions/003)."""


@dataclass(frozen=True)
class Word:
    """What a detector says of labels (n,): score 0 to 1, NaN for nothing; whether it asks."""

    scores: Floats
    suspects: NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """What detectors look at, row by row: labels (n,) from 0 to c - 1, probabilities (n, c).

    ``neighbours`` (n, k) are rows, nearest first, -1 for none; ``judgements`` what several people
    said. Both None where there are none.
    """

    labels: Ints
    probabilities: Array
    neighbours: Ints | None = None
    distances: Floats | None = None
    judgements: Judgements | None = None
    scores: dict[str, Floats] = field(default_factory=dict)

    @cached_property
    def examined(self) -> Examined:
        """What confident learning sees; worked out once for all that ask."""
        return label_filters.examine(self.labels, self.probabilities)

    def doubt(self, method: str) -> Floats:
        """1 less a quality of `label_quality.SCORES`; worked out once for all that ask."""
        if method not in self.scores:
            quality = label_quality.SCORES[method](self.labels, self.probabilities)
            self.scores[method] = np.clip(1 - quality, 0, 1).astype(np.float32)
        return self.scores[method]


Detector = Callable[[Evidence], Word]

_SCORE_OF = {
    "low_normalized_margin": "normalized_margin",
    "low_weighted_entropy": "confidence_weighted_entropy",
}


def _by_rule(rule: confident.Rule) -> Detector:
    return lambda e: Word(e.doubt("self_confidence"), rule(e.labels, e.probabilities))


def _by_filter(name: str) -> Detector:
    score = _SCORE_OF.get(name, "self_confidence")
    return lambda e: Word(e.doubt(score), label_filters.FILTERS[name](e.examined, 1, 1.0))


def neighbour_vote(evidence: Evidence) -> Word:
    """Scores by the share of the neighbours of another class, the nearer counting more.

    It asks where another class has the most votes.
    """
    assert evidence.neighbours is not None
    lists = (evidence.labels, evidence.neighbours)
    n_classes = evidence.probabilities.shape[1]
    votes = neighbour_votes.votes(*lists, n_classes, evidence.distances)
    own = votes[np.arange(len(votes)), evidence.labels]
    return Word((1 - own).astype(np.float32), np.nan_to_num(votes).max(axis=1) > np.nan_to_num(own))


def knn_shapley(evidence: Evidence) -> Word:
    """Scores by the KNN-Shapley value, spread out; it asks where that misleads the neighbours."""
    assert evidence.neighbours is not None
    value = neighbour_votes.shapley(evidence.labels, evidence.neighbours)
    summed = (2 * value - 1) * len(value)
    return Word((0.5 - 0.5 * summed / (1 + np.abs(summed))).astype(np.float32), summed < 0)


def multi_annotator(evidence: Evidence) -> Word:
    """Scores by CROWDLAB's quality of each label; it asks where that prefers another class."""
    assert evidence.judgements is not None
    found = judgements.label_quality(evidence.judgements, evidence.labels, evidence.probabilities)
    return Word((1 - found.quality).astype(np.float32), found.prefers_another)


DETECTORS: dict[str, Detector] = {
    **{name: _by_rule(rule) for name, rule in confident.RULES.items()},
    **{name: _by_filter(name) for name in label_filters.FILTERS},
    "neighbour_vote": neighbour_vote,
    "knn_shapley": knn_shapley,
    "multi_annotator": multi_annotator,
}
"""The detectors by name."""

SIDE_BY_SIDE = (
    DEFAULT, "predicted_neq_given", "confident_learning", "prune_by_noise_rate",
    "low_self_confidence", "low_normalized_margin", "low_weighted_entropy", "neighbour_vote",
    "knn_shapley", "multi_annotator",
)  # fmt: skip
"""Those that are asked in every run, so that verdicts can compare them."""


def refuse_unknown(name: str) -> None:
    """InvalidInput for what is no detector."""
    if name not in DETECTORS:
        raise InvalidInput(f"no detector {name!r}; say one of {', '.join(DETECTORS)}")


def missing(evidence: Evidence) -> dict[str, str]:
    """The detectors that cannot say anything here, and what is missing."""
    found = {}
    if evidence.neighbours is None:
        found = dict.fromkeys(
            ("neighbour_vote", "knn_shapley"), "an encoder with neighbours: smartdb neighbours"
        )
    if evidence.judgements is None:
        found["multi_annotator"] = "nothing was labelled by several people"
    elif find_spec("cleanlab") is None:
        found["multi_annotator"] = "run: pip install 'smartdb[labels]'"
    return found


def words(evidence: Evidence, names: tuple[str, ...]) -> Mapping[str, Word]:
    """What these detectors say, in this order; InvalidInput for one that cannot."""
    lacking = missing(evidence)
    for name in names:
        refuse_unknown(name)
        if name in lacking:
            raise InvalidInput(f"{name} has nothing to go by: {lacking[name]}")
    return {name: DETECTORS[name](evidence) for name in names}
