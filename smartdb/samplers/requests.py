"""What a strategy is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]
Pool = Literal["unlabelled", "labelled", "all"]


@dataclass(frozen=True)
class Request:
    """``n`` media of those that fulfil ``predicate``, a condition on smartdb.media read as m.

    ``before`` are media that were chosen earlier and are not among the candidates; what is to be
    unlike each other is to be unlike them too. ``encoder`` None: the only one, or the run's.
    """

    n: int
    seed: int
    predicate: str
    pool: Pool = "all"
    encoder: str | None = None
    before: tuple[int, ...] = ()
    nobody: str = "no media is a candidate"
    """What to say where there is no candidate."""

    def without(self, ids: Iterable[int]) -> Request:
        """The same, but ``ids`` are no candidates."""
        listed = ",".join(str(int(media_id)) for media_id in ids)
        left = f"({self.predicate}\n) and m.media_id <> all ('{{{listed}}}'::bigint[])"
        return replace(self, predicate=left) if listed else self

    def after(self, ids: Ints) -> Request:
        """The same, but ``ids`` were chosen before."""
        return replace(self.without(ids), before=(*self.before, *ids.tolist()))


@dataclass(frozen=True)
class Choice:
    """Chosen media (k,) in the order of choice, k at most n; of each its score, and why.

    ``notes`` are sentences for a person, ``counts`` numbers for the run.
    """

    ids: Ints
    scores: Floats
    reasons: list[str]
    notes: tuple[str, ...] = ()
    counts: Mapping[str, Any] = field(default_factory=dict)
