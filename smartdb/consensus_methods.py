"""Methods of consensus: what media are, by what several annotators say of them.

``majority`` the class with most votes; ``dawid-skene`` weighs annotators by what they confuse (see
`smartdb.dawid_skene`); ``glad`` (Whitehill et al. 2009) by their skill and the media's difficulty;
``mace`` (Hovy et al. 2013) by who guesses; ``crowdlab`` (Goh et al. 2022) lets a model vote too.
GLAD and MACE are crowd-kit's, CROWDLAB cleanlab's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from smartdb.crowdlab import crowdlab
from smartdb.dawid_skene import dawid_skene, vote_shares
from smartdb.errors import InvalidInput, NothingToDo
from smartdb.formats import library

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

METHODS = ("majority", "dawid-skene", "crowdlab", "glad", "mace")
"""From the quickest to the slowest."""


@dataclass(frozen=True)
class Judgements:
    """Row i says that an annotator gave a class to a media; all (m,) int64 are places in the ids.

    ``media_ids`` (n,), ``actor_ids`` (w,), ``class_ids`` (c,) int64, each in order.
    """

    media: Ints
    annotators: Ints
    classes: Ints
    media_ids: Ints
    actor_ids: Ints
    class_ids: Ints

    @classmethod
    def of(cls, media: Ints, actors: Ints, classes: Ints, class_ids: Ints | None = None) -> Self:
        """Judgements by ids; ``class_ids`` are those one may choose from [those chosen]."""
        media_ids, media_at = np.unique(media, return_inverse=True)
        actor_ids, actors_at = np.unique(actors, return_inverse=True)
        known = np.unique(classes if class_ids is None else np.r_[class_ids, classes])
        return cls(
            media_at, actors_at, np.searchsorted(known, classes), media_ids, actor_ids, known
        )

    @property
    def counts(self) -> Ints:
        """How many annotators judged each media: (n,)."""
        return np.bincount(self.media, minlength=len(self.media_ids))


def probabilities(
    method: str, said: Judgements, model: Floats | None = None, seed: int = 0
) -> Floats:
    """How probable each class of each media is: (n, c) float64, with crowdlab only of the class it
    chose.

    ``model`` (n, c) float64 is needed for crowdlab, a row of NaN where it says nothing: so does
    the result then. InvalidInput for an unknown method or a library that is missing.
    """
    if method not in METHODS:
        raise InvalidInput(f"no method {method!r}; say one of {', '.join(METHODS)}")
    if not len(said.media):
        return np.zeros((len(said.media_ids), len(said.class_ids)))
    if method == "majority":
        return vote_shares(said.media, said.classes, len(said.media_ids), len(said.class_ids))
    if method == "dawid-skene":
        found = dawid_skene(said.media, said.annotators, said.classes).probabilities
        return _widened(found, len(said.class_ids))
    if method == "crowdlab":
        return _crowdlab(said, model)
    return _by_crowd_kit(method, said, seed)


def _widened(found: Floats, c: int) -> Floats:
    return np.pad(found, ((0, 0), (0, c - found.shape[1])))


def _crowdlab(said: Judgements, model: Floats | None) -> Floats:
    """CROWDLAB's consensus, with its quality as the probability of the class it chose."""
    if model is None:
        raise NothingToDo("crowdlab needs what a model thinks; run: smartdb find-issues")
    table = np.full((len(said.media_ids), len(said.actor_ids)), np.nan)
    table[said.media, said.annotators] = said.classes
    known = ~np.isnan(model).any(axis=1)
    table = table[known]
    table = table[:, ~np.isnan(table).all(axis=0)]
    result = np.full(model.shape, np.nan)
    if not len(table):
        raise NothingToDo("the model says nothing of what was judged; run: smartdb find-issues")
    found = crowdlab(table, model[known], detailed=False)
    rows = np.zeros((len(found.classes), model.shape[1]))
    rows[np.arange(len(rows)), found.classes] = np.maximum(np.clip(found.quality, 0, 1), 1e-9)
    result[known] = rows
    return result


def _by_crowd_kit(method: str, said: Judgements, seed: int) -> Floats:
    import pandas as pd

    aggregation: Any = library("crowdkit.aggregation.classification", "crowd")
    makers: dict[str, Callable[[], Any]] = {
        "glad": aggregation.GLAD,
        "mace": lambda: aggregation.MACE(random_state=seed),
    }
    rows = {"task": said.media, "worker": said.annotators, "label": said.classes}
    found = makers[method]().fit_predict_proba(pd.DataFrame(rows)).sort_index()
    result = np.zeros((len(said.media_ids), len(said.class_ids)))
    result[:, found.columns.to_numpy(np.int64)] = found.to_numpy(np.float64)
    return result
