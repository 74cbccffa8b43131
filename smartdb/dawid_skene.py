"""Dawid-Skene: what a media is, and what each annotator makes of each class, from judgements alone.

Dawid and Skene (1979), by expectation maximisation from the shares of the votes. The same start,
steps and end as crowd-kit's ``DawidSkene`` (1.4), whose results it equals; benchmarks/consensus.py
says how much longer its data frames take.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAST = 1e-10
"""No probability is below it, as in crowd-kit."""

_FEW = 25  # judgements of a media, of which the product of probabilities is a number above 0


@dataclass(frozen=True)
class Estimate:
    """What was estimated of n media, w annotators and c classes.

    ``probabilities`` (n, c) float64 of each media's class; ``priors`` (c,) of the classes;
    ``errors`` (w, c, c): how probably an annotator says the second class of what is the third.
    """

    probabilities: Floats
    priors: Floats
    errors: Floats
    n_steps: int


def dawid_skene(
    media: Ints, annotators: Ints, classes: Ints, *, most_steps: int = 100, tolerance: float = 1e-5
) -> Estimate:
    """Estimates the classes of media from judgements: row i says (media, annotator, class).

    All (m,) int64, numbered from 0 without gaps but for classes, which may be unused. It ends
    when the bound of the evidence per judgement rises by less than ``tolerance`` (the prior counts
    once a judgement, as in crowd-kit), or after ``most_steps``.
    """
    from scipy import sparse  # type: ignore[import-untyped]

    n, k = int(media.max(initial=-1)) + 1, int(classes.max(initial=-1)) + 1
    said, pairs = np.unique(annotators * max(k, 1) + classes, return_inverse=True)
    votes = sparse.csr_array(
        (np.ones(len(media)), (media, pairs)), shape=(n, len(said))
    )  # which (annotator, class) spoke of a media
    transposed, by_annotator = votes.T.tocsr(), said // max(k, 1)
    probabilities = vote_shares(media, classes, n, k)
    priors, errors = probabilities.mean(axis=0), _errors(transposed @ probabilities, by_annotator)
    evidence, steps = -np.inf, 0
    counts = votes.sum(axis=1)
    while steps < most_steps:
        steps += 1
        logs = votes @ np.log(errors) + np.log(np.maximum(priors, LEAST))
        probabilities, entropy = _normalised(logs, shift=counts.max() > _FEW)
        priors, votes_of = probabilities.mean(axis=0), transposed @ probabilities
        errors = _errors(votes_of, by_annotator)
        joint = np.vdot(votes_of, np.log(errors))
        joint += counts @ (probabilities @ np.log(np.maximum(priors, LEAST)))
        before, evidence = evidence, (joint + entropy) / len(media)
        if evidence - before < tolerance:
            break
    shape = (int(by_annotator.max(initial=-1)) + 1, k, k)
    full = np.zeros((shape[0] * k, k))
    full[said] = errors
    return Estimate(np.maximum(probabilities, LEAST), priors, full.reshape(shape), steps)


def vote_shares(media: Ints, classes: Ints, n: int, k: int) -> Floats:
    """Share of the votes of each of n media for each of k classes: (n, k) float64."""
    votes = np.bincount(media * k + classes, minlength=n * k).reshape(n, k)
    counts: Floats = votes.astype(np.float64)
    counts /= np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return counts


def _errors(votes: Floats, annotators: Ints) -> Floats:
    """How probably annotators say what they said, by true class: (pairs, c), each column of an
    annotator sums to 1; what an annotator never said is no row."""
    clipped: Floats = np.maximum(votes, LEAST)
    starts = np.flatnonzero(np.diff(annotators, prepend=-1))
    sums = np.add.reduceat(clipped, starts, axis=0)
    clipped /= np.repeat(sums, np.diff(starts, append=len(annotators)), axis=0)
    return clipped


def _normalised(logs: Floats, shift: bool) -> tuple[Floats, float]:
    """Probabilities (n, c) from logarithms that lack a constant a row, and the rows' entropy."""
    if shift:
        logs -= logs.max(axis=1, keepdims=True)
    p = np.exp(logs)
    sums = p @ np.ones(p.shape[1])
    p /= sums[:, None]
    return p, float(np.log(sums).sum() - np.vdot(p, logs))
