"""Filters: which labels to suspect, the same set as cleanlab's `find_label_issues` (2.9).

Every filter takes ``labels`` (n,) from 0 to c - 1, the out-of-fold ``probabilities`` (n, c) in
float32 or float64, the least number of examples to leave each class and the share of the estimated
noise to suspect, and returns (n,) bool. It computes in float64, class by class, so that memory
is that of one class. The rules of `smartdb.confident` are this project's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartdb import label_quality
from smartdb.confident import checked

Array = NDArray[Any]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Filter = Callable[["Examined", int, float], Flags]

CLOSE = 1e-6
"""Probabilities that differ by less are taken for equal."""


@dataclass(frozen=True)
class Examined:
    """What confident learning sees in labels and probabilities, found in one pass over them.

    rows: those of each class, ascending. counts (c, c): given i, confidently j. guesses (n,): the
    class that a row confidently has, -1 for none. is_close (n,): the given class is the likeliest,
    or as good as that.
    """

    labels: Ints
    probabilities: Array
    rows: list[Ints]
    counts: Ints
    guesses: NDArray[np.int16]
    is_close: Flags

    def of_class(self, given: int) -> Floats:
        """The probabilities (c, m) of the rows with this label."""
        return np.ascontiguousarray(self.probabilities[self.rows[given]].T, np.float64)

    @property
    def is_off(self) -> Flags:
        """Rows that confidently are another class than the given one."""
        return np.asarray((self.guesses >= 0) & (self.guesses != self.labels))

    @property
    def n_issues(self) -> int:
        """cleanlab's `num_label_issues`: how many labels are wrong, by its default estimate."""
        return int((self.is_off & ~self.is_close).sum())


def find(
    labels: Array,
    probabilities: Array,
    filter_by: str,
    *,
    min_examples_per_class: int = 1,
    frac_noise: float = 1.0,
) -> Flags:
    """The labels that a filter of `FILTERS` suspects (n,) bool."""
    examined = examine(labels, probabilities)
    return FILTERS[filter_by](examined, min_examples_per_class, frac_noise)


def examine(labels: Array, probabilities: Array) -> Examined:
    """The one pass over labels and probabilities that all filters share."""
    labels, probabilities = checked(labels, probabilities)
    n, n_classes = probabilities.shape
    order = np.argsort(labels.astype(np.int16 if n_classes < 2**15 else np.int64), kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(labels, minlength=n_classes))[:-1])
    found = Examined(
        labels, probabilities, rows, np.zeros((n_classes, n_classes), np.int64),
        np.empty(n, np.int16), np.empty(n, bool),
    )  # fmt: skip
    bounds = _thresholds(found) - CLOSE
    for given, members in enumerate(rows):
        p = found.of_class(given)
        likeliest = _argmax(p)
        guesses = _confident(p, bounds, likeliest)
        found.guesses[members] = guesses
        found.counts[given] = np.bincount(guesses[guesses >= 0], minlength=n_classes)
        p[given] += CLOSE
        found.is_close[members] = _argmax(p) == given
    return found


def joint(examined: Examined) -> Ints:
    """cleanlab's calibrated confident joint (c, c): counts by given class and true class.

    Each class has one example at least on the diagonal; rows add up to the examples of the class.
    """
    counts = examined.counts.astype(np.float64)
    np.fill_diagonal(counts, counts.diagonal().clip(min=1))
    given = np.array([len(rows) for rows in examined.rows])
    shares = (counts.T / np.clip(counts.sum(axis=1), 1e-100, None) * given).T
    return _rounded(shares / np.clip(shares.sum(), 1e-100, None) * given.sum())


def prune_counts(joint: Ints, n: int, frac_noise: float = 1.0) -> Ints:
    """How many to suspect (c, c) by true class and given class, so that each class keeps ``n``."""
    counts = joint.T
    kept = np.maximum(counts.diagonal(), n)
    n_noisy = np.maximum(np.count_nonzero(counts, axis=0) - 1.0, 1.0)
    left = np.maximum(counts - (kept - counts.diagonal()) / n_noisy, 0)
    np.fill_diagonal(left, kept)
    some = left * frac_noise
    np.fill_diagonal(some, kept)
    np.fill_diagonal(some, kept + (left - some).sum(axis=0))
    return _rounded(some.astype(np.int64))


def by_noise_rate(examined: Examined, n: int, frac_noise: float) -> Flags:
    """prune_by_noise_rate: of each given class as many as the joint has of each other class, those
    with the largest margin between the two.
    """
    wanted = prune_counts(joint(examined), n, frac_noise)

    def prune(given: int, p: Floats) -> Flags:
        suspects = np.zeros(p.shape[1], bool)
        for other in np.flatnonzero(wanted[:, given] > 0):
            if other != given:
                suspects |= _least(-(p[other] - p[given]), wanted[other, given])
        return suspects

    return _pruned(examined, prune, n)


def by_class(examined: Examined, n: int, frac_noise: float) -> Flags:
    """prune_by_class: of each class as many as the joint has off its diagonal, the least likely."""
    wanted = prune_counts(joint(examined), n, frac_noise)

    def prune(given: int, p: Floats) -> Flags:
        return _least(p[given], p.shape[1] - wanted[given, given])

    return _pruned(examined, prune, n)


def by_both(examined: Examined, n: int, frac_noise: float) -> Flags:
    """both: what prune_by_noise_rate and prune_by_class suspect."""
    return by_noise_rate(examined, n, frac_noise) & by_class(examined, n, frac_noise)


def by_confidence(examined: Examined, _n: int, _frac_noise: float) -> Flags:
    """confident_learning: what the confident joint counts off its diagonal."""
    return examined.is_off & ~examined.is_close


def by_prediction(examined: Examined, _n: int, _frac_noise: float) -> Flags:
    """predicted_neq_given: another class is likelier."""
    return ~examined.is_close


def by_margin(examined: Examined, _n: int, _frac_noise: float) -> Flags:
    """low_normalized_margin: as many as are wrong, those of the least normalised margin."""
    quality = label_quality.normalized_margin(examined.labels, examined.probabilities)
    return _least(quality, examined.n_issues)


def by_self_confidence(examined: Examined, _n: int, _frac_noise: float) -> Flags:
    """low_self_confidence: as many as are wrong, those of the least self-confidence."""
    quality = label_quality.self_confidence(examined.labels, examined.probabilities)
    return _least(quality, examined.n_issues)


def by_entropy(examined: Examined, _n: int, _frac_noise: float) -> Flags:
    """As many as are wrong, those of the least confidence-weighted entropy (not in cleanlab)."""
    quality = label_quality.confidence_weighted_entropy(examined.labels, examined.probabilities)
    return _least(quality, examined.n_issues)


FILTERS: dict[str, Filter] = {
    "prune_by_noise_rate": by_noise_rate,
    "prune_by_class": by_class,
    "both": by_both,
    "confident_learning": by_confidence,
    "predicted_neq_given": by_prediction,
    "low_normalized_margin": by_margin,
    "low_self_confidence": by_self_confidence,
    "low_weighted_entropy": by_entropy,
}
"""The filters by the names that cleanlab gives them."""


def ranked(suspects: Flags, quality: Array) -> Ints:
    """The rows of the suspects, those of the least quality first, as cleanlab orders them."""
    rows = np.flatnonzero(suspects)
    return np.asarray(rows[np.argsort(quality[rows])], np.int64)


def _thresholds(examined: Examined) -> Floats:
    """The mean probability of each class among its own examples (c,); 2 without any."""
    own = [
        examined.probabilities[rows, k].astype(np.float64) for k, rows in enumerate(examined.rows)
    ]
    return np.array([max(p.mean(), 2 * CLOSE) if len(p) else 2.0 for p in own])


def _argmax(p: Floats) -> NDArray[np.int16]:
    """The first class of the largest probability in each column of (c, m)."""
    best, place = p[0].copy(), np.zeros(p.shape[1], np.int16)
    for k in range(1, len(p)):
        place[p[k] > best] = k
        np.maximum(best, p[k], out=best)
    return place


def _confident(p: Floats, bounds: Floats, likeliest: NDArray[np.int16]) -> NDArray[np.int16]:
    """The one class that reaches its bound, the likeliest of all if several do; -1 for none."""
    n_reached, only = np.zeros(p.shape[1], np.int16), np.full(p.shape[1], -1, np.int16)
    for k, bound in enumerate(bounds):
        reached = p[k] >= bound
        n_reached += reached
        only[reached] = k
    return np.where(n_reached > 1, likeliest, only)


def _pruned(examined: Examined, prune: Callable[[int, Floats], Flags], n: int) -> Flags:
    """Prunes each class of more than ``n`` examples; never what is close to the given label."""
    suspects = np.zeros(len(examined.labels), bool)
    for given, rows in enumerate(examined.rows):
        if len(rows) > max(n, 1):
            suspects[rows] = prune(given, examined.of_class(given))
    return suspects & ~examined.is_close


def _least(values: Array, n: int) -> Flags:
    """The ``n`` least values; of equal ones at the border those that numpy's argsort puts first."""
    if n <= 0 or n >= len(values):
        return np.full(len(values), n > 0)
    chosen = values <= np.partition(values, n - 1)[n - 1]
    if chosen.sum() > n:
        chosen = np.zeros(len(values), bool)
        chosen[np.argsort(values)[:n]] = True
    return np.asarray(chosen)


def _rounded(counts: Array) -> Ints:
    """Whole numbers near the counts (c, c), the sums of rows kept (cleanlab's rounding)."""
    return np.array([_rounded_row(row) for row in np.asarray(counts, np.float64)], np.int64)


def _rounded_row(row: Floats) -> Floats:
    whole = row.round()
    missing = int(row.sum().round() - whole.sum())
    while missing:
        step = 1 if missing > 0 else -1
        first = np.argsort(row - whole)[::-step][: abs(missing)]
        whole[first] += step
        missing = int(row.sum().round() - whole.sum())
    return whole
