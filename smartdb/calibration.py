"""Calibration: from which confidence on a method is right as often as one wants, told by gold.

The threshold is the smallest confidence at which the lower bound of the precision of all that is at
least as sure reaches what is wanted. Trying all confidences of the gold and taking the smallest
costs little of the level: of 300 drawn samples of each of 16 kinds, 0 to 6 % broke a promise made
at 95 % (docs/decisions/030).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartdb.errors import InvalidInput

Floats = NDArray[np.float64]
Bound = Literal["clopper_pearson", "wilson"]

PRECISION = 0.95
LEVEL = 0.95


@dataclass(frozen=True)
class Threshold:
    """From which ``confidence`` on the precision is at least ``precision_low``, by gold.

    Of ``n_gold`` items ``n_above`` are at least as sure and ``n_correct`` of these right. Where
    nothing reaches the ``precision`` wanted, confidence is None, the numbers are those of all gold
    and ``reason`` says why.
    """

    precision: float
    confidence: float | None
    n_gold: int
    n_above: int
    n_correct: int
    precision_low: float
    reason: str | None = None


def threshold(
    confidence: ArrayLike,
    correct: ArrayLike,
    precision: float = PRECISION,
    *,
    level: float = LEVEL,
    bound: Bound = "clopper_pearson",
) -> Threshold:
    """The smallest confidence whose precision on gold is surely at least ``precision``.

    ``confidence`` (n,) and ``correct`` (n,) bool are of gold items, a random sample of what the
    threshold is for. "Surely" is the one-sided lower bound at ``level``: the exact one of Clopper
    and Pearson (1934), or Wilson's (1927), which is nearer and may be missed a little more often.
    """
    _refuse(precision, level, bound)
    sure, right = np.asarray(confidence, np.float64), np.asarray(correct, np.bool_)
    order = np.argsort(-sure, kind="stable")
    sure, hits = sure[order], np.cumsum(right[order])
    last = np.flatnonzero(np.diff(sure, append=-np.inf))  # of equal confidences
    n, k = last + 1, hits[last]
    low = lower_bound(k, n, level=level, bound=bound)
    good = np.flatnonzero(low >= precision)
    if len(good):
        at = good[-1]
        told = (float(sure[last[at]]), len(sure), int(n[at]), int(k[at]), float(low[at]))
        return Threshold(precision, *told)
    n_right = int(hits[-1]) if len(hits) else 0
    overall = float(low[-1]) if len(low) else 0.0
    reason = _reason(len(sure), precision, level, bound)
    return Threshold(precision, None, len(sure), len(sure), n_right, overall, reason)


def lower_bound(
    n_correct: ArrayLike, n: ArrayLike, *, level: float = LEVEL, bound: Bound = "clopper_pearson"
) -> Floats:
    """The one-sided lower bounds of proportions n_correct / n, n at least 1, as an array."""
    k, m = np.asarray(n_correct, np.float64), np.asarray(n, np.float64)
    if bound == "wilson":
        z = NormalDist().inv_cdf(level)
        middle, spread = k + z * z / 2, z * np.sqrt(k * (m - k) / m + z * z / 4)
        return np.asarray((middle - spread) / (m + z * z))
    return _clopper_pearson(k, m, 1 - level)


def n_needed(precision: float, *, level: float = LEVEL, bound: Bound = "clopper_pearson") -> int:
    """How many gold items, all of them right, it takes at least to promise ``precision``."""
    n = 1
    while lower_bound(n, n, level=level, bound=bound) < precision:
        n += 1
    return n


def _clopper_pearson(k: Floats, n: Floats, alpha: float) -> Floats:
    """The p at which k or more of n are just as rare as alpha."""
    from scipy.special import betaincinv  # type: ignore[import-untyped]

    low = betaincinv(np.maximum(k, 1), n - k + 1, alpha)
    return np.asarray(np.where(k > 0, low, 0.0))


def _reason(n: int, precision: float, level: float, bound: Bound) -> str:
    needed = n_needed(precision, level=level, bound=bound)
    if n < needed:
        return (
            f"{n} gold items are too few: a precision of {precision:g} takes at least {needed}, "
            "all of them right; mark more labels as gold"
        )
    return f"on {n} gold items no confidence reaches a precision of {precision:g}"


def _refuse(precision: float, level: float, bound: Any) -> None:
    if not 0 < precision < 1 or not 0 < level < 1:
        raise InvalidInput(f"precision {precision} and level {level} must lie between 0 and 1")
    if bound not in get_args(Bound):
        raise InvalidInput(f"no bound {bound!r}; there are: {', '.join(get_args(Bound))}")
