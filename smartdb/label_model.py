"""Label model: combines the votes of labelling functions, without a label being known.

A function votes for its class or abstains. It has two unknown rates: how often it votes where its
class is true, and how often where it is not. With a class given the functions are taken to be
independent; the rates are those that make the votes likeliest, found by expectation maximisation:
Dawid and Skene (1979) with vote and silence as the two answers, tied over the other classes, as
weak supervision has it since data programming (Ratner et al. 2016; 2017, "Snorkel"). Functions that
others bear out weigh more, where a majority counts all alike; silence speaks too.

As in Snorkel the shares of the classes are given, not estimated: estimated too, they grow until one
class takes all. Items with the same votes are one item that counts several times, so a million
items with ten votes cost little more than a sort.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartdb.errors import InvalidInput, NothingToDo

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ABSTAIN = -1
"""The class of an item that nobody voted for, or that several classes fit alike."""

PRIOR_PRECISION, PRIOR_ITEMS = 0.7, 10.0
"""A function starts as if it were right in seven of ten votes, and ten items had shown so."""

ITERATIONS = 500
TOLERANCE = 1e-5

_MOST = 62  # functions whose votes fit into an int64
_SMALL = 1e-9


@dataclass(frozen=True)
class Combined:
    """What votes say together: the place of the likeliest class (n,) or `ABSTAIN`, and its
    probability (n,), 0 where they abstain."""

    top: Ints
    confidence: Floats


@dataclass(frozen=True)
class LabelModel:
    """What is known of each function (m,): the place of its class, how often it votes where that is
    true (``hit``) and where it is not (``miss``), and how often its votes are right. ``share`` (c,)
    is how common the classes are."""

    of_class: Ints
    hit: Floats
    miss: Floats
    precision: Floats
    share: Floats

    def combine(self, votes: ArrayLike) -> Combined:
        """What votes (n, m) bool of the same functions say."""
        patterns, which, _ = _patterns(_checked(votes, len(self.of_class)))
        p = _posterior(patterns, self._rates(), self.share)
        best = np.partition(p, -2, axis=1)[:, -2:]
        unsure = ~patterns.any(axis=1) | (best[:, 1] - best[:, 0] < 1e-9)
        top = np.where(unsure, ABSTAIN, p.argmax(axis=1))
        return Combined(top[which], np.where(unsure, 0.0, best[:, 1])[which])

    def _rates(self) -> Floats:
        return _table(self.of_class, len(self.share), self.hit, self.miss)


def fit(votes: ArrayLike, of_class: ArrayLike, share: ArrayLike) -> LabelModel:
    """The label model of votes (n, m) bool by functions for the classes at places of_class (m,).

    ``share`` (c,) says how common each of two or more classes is; it is brought to sum 1. Nobody is
    taken to vote oftener where its class is false. InvalidInput for what does not fit together,
    NothingToDo if nobody voted.
    """
    shares, classes = _shares(share), np.asarray(of_class, np.int64)
    if classes.ndim != 1 or not len(classes) or not set(classes) <= set(range(len(shares))):
        raise InvalidInput(f"functions vote for classes 0 to {len(shares) - 1}, not {classes}")
    patterns, _, counts = _patterns(_checked(votes, len(classes)))
    if not patterns.any():
        raise NothingToDo("no labelling function voted for any media")
    n = counts.sum()
    rate = counts @ patterns / n
    right = shares[classes]
    start_hit = np.clip(PRIOR_PRECISION * rate / right, _SMALL, 1 - _SMALL)
    start_miss = np.clip((1 - PRIOR_PRECISION) * rate / (1 - right), _SMALL, 1 - _SMALL)
    hit, miss = start_hit, start_miss
    for _ in range(ITERATIONS):
        rates = _table(classes, len(shares), hit, miss)
        p = _posterior(patterns, rates, shares) * counts[:, None]
        expected, n_true = patterns.T.astype(np.float64) @ p, p.sum(axis=0)[classes]
        n_right = expected[np.arange(len(classes)), classes]
        n_wrong = expected.sum(axis=1) - n_right
        before = np.concatenate([hit, miss])
        hit = _mean(n_right, n_true, start_hit)
        miss = np.minimum(_mean(n_wrong, n - n_true, start_miss), hit)
        if np.abs(np.concatenate([hit, miss]) - before).max() < TOLERANCE:
            break
    precision = n_right / np.maximum(n_right + n_wrong, _SMALL)
    return LabelModel(classes, hit, miss, precision, shares)


def _mean(n: Floats, of: Floats, start: Floats) -> Floats:
    found: Floats = (n + PRIOR_ITEMS * start) / (of + PRIOR_ITEMS)
    return np.clip(found, _SMALL, 1 - _SMALL)


def _table(classes: Ints, n_classes: int, hit: Floats, miss: Floats) -> Floats:
    """How often each function votes where each class is true (m, c)."""
    own = classes[:, None] == np.arange(n_classes)
    return np.where(own, hit[:, None], miss[:, None])


def _posterior(patterns: Bools, rates: Floats, share: Floats) -> Floats:
    """Probability of each class (u, c) given votes (u, m)."""
    silent = np.log1p(-rates)
    log_p = patterns.astype(np.float64) @ (np.log(rates) - silent)
    log_p += silent.sum(axis=0) + np.log(share)
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    found: Floats = p / p.sum(axis=1, keepdims=True)
    return found


def _patterns(votes: Bools) -> tuple[Bools, Ints, Floats]:
    """The distinct rows of votes, which of them each row is, and how many there are of each."""
    keys = np.zeros(len(votes), np.int64)
    for of_one in votes.T:  # a row as one number
        keys = 2 * keys + of_one
    _, first, which, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    return votes[first], which, counts.astype(np.float64)


def _checked(votes: ArrayLike, n_functions: int) -> Bools:
    found = np.asarray(votes)
    if found.ndim != 2 or found.dtype != np.bool_ or found.shape[1] != n_functions:
        raise InvalidInput(
            f"votes of {n_functions} functions must be bool (n, {n_functions}), "
            f"not {found.dtype} {found.shape}"
        )
    if n_functions > _MOST:
        raise InvalidInput(f"{n_functions} labelling functions are too many; at most {_MOST}")
    return found


def _shares(share: ArrayLike) -> Floats:
    found = np.asarray(share, np.float64)
    if found.ndim != 1 or len(found) < 2 or not (found > 0).all():
        raise InvalidInput(f"two or more classes need shares above 0, not {found}")
    shares: Floats = found / found.sum()
    return shares
