"""What automated labelling computes: thresholds, and a label model that beats a majority."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from smartdb import calibration, label_model
from smartdb.errors import InvalidInput, NothingToDo

SHARE = np.array([0.2, 0.3, 0.5])
PRECISION = np.array([0.9, 0.8, 0.6, 0.9, 0.7, 0.5, 0.9, 0.8, 0.7])


@pytest.mark.parametrize("bound", ["clopper_pearson", "wilson"])
def test_lower_bounds_equal_those_of_scipy(bound: calibration.Bound) -> None:
    method = "exact" if bound == "clopper_pearson" else "wilson"
    pairs = [(0, 5), (1, 1), (7, 10), (59, 59), (940, 1000)]
    k, n = np.array(pairs).T
    ours = calibration.lower_bound(k, n, bound=bound)
    theirs = [binomtest(a, b).proportion_ci(0.9, method).low for a, b in pairs]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_threshold_is_the_smallest_confidence_that_keeps_the_promise() -> None:
    sure = np.round(np.linspace(1, 0, 500), 2)  # with many ties
    right = np.arange(500) < 250
    found = calibration.threshold(sure, right, 0.9)
    above = sure >= found.confidence
    assert (found.n_above, found.n_correct) == (above.sum(), (above & right).sum())
    assert found.precision_low >= 0.9
    assert found.precision_low == pytest.approx(
        binomtest(found.n_correct, found.n_above).proportion_ci(0.9, "exact").low
    )
    less = sure >= sure[~above].max()
    n, k = less.sum(), (less & right).sum()
    assert calibration.lower_bound(k, n) < 0.9


def test_too_little_gold_gives_no_threshold_and_the_number_it_takes() -> None:
    assert calibration.n_needed(0.95) == 59
    assert calibration.threshold(np.ones(59), np.ones(59, bool), 0.95).confidence == 1.0
    found = calibration.threshold(np.ones(58), np.ones(58, bool), 0.95)
    assert found.confidence is None
    assert "58 gold items are too few: a precision of 0.95 takes at least 59" in str(found.reason)
    none = calibration.threshold([], [], 0.95)
    assert (none.confidence, none.n_gold, none.precision_low) == (None, 0, 0.0)
    poor = calibration.threshold(np.ones(100), np.arange(100) < 90, 0.95)
    assert poor.reason == "on 100 gold items no confidence reaches a precision of 0.95"


def test_promises_at_95_percent_are_broken_about_once_in_twenty() -> None:
    rng = np.random.default_rng(0)
    broken = 0
    for _ in range(200):
        sure = rng.random(1000)
        right = rng.random(1000) < 0.6 + 0.4 * sure**0.3
        found = calibration.threshold(sure, right, 0.95)
        if found.confidence is not None:  # the true precision above it, by integral
            t = np.linspace(found.confidence, 1, 1000)
            broken += (0.6 + 0.4 * t**0.3).mean() < 0.95
    assert broken <= 20


@pytest.mark.parametrize("wrong", [{"precision": 1.0}, {"level": 0.0}, {"bound": "hoeffding"}])
def test_what_cannot_be_promised_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        calibration.threshold([0.5], [True], **{"precision": 0.9, **wrong})  # type: ignore[arg-type]


def planted(seed: int, n: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes (n,), votes (n, 9) whose precision is planted, and the functions' classes."""
    rng = np.random.default_rng(seed)
    y, of_class = rng.choice(3, n, p=SHARE), np.arange(9) % 3
    votes = np.zeros((n, 9), bool)
    for j, (c, precision) in enumerate(zip(of_class, PRECISION, strict=True)):
        miss = 0.5 * SHARE[c] / (1 - SHARE[c]) * (1 - precision) / precision
        votes[:, j] = rng.random(n) < np.where(y == c, 0.5, miss)
    return y, votes, of_class


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_label_model_finds_the_planted_precision_and_beats_a_majority(seed: int) -> None:
    y, votes, of_class = planted(seed)
    model = label_model.fit(votes, of_class, SHARE)
    np.testing.assert_allclose(model.precision, PRECISION, atol=0.03)
    said = model.combine(votes)
    some = said.top != label_model.ABSTAIN
    assert (some == votes.any(axis=1)).mean() > 0.999
    counts = np.stack([votes[:, of_class == c].sum(axis=1) for c in range(3)], axis=1)
    tied = counts + np.random.default_rng(0).random(counts.shape) / 2
    majority = (tied.argmax(axis=1) == y)[some].mean()
    assert (said.top == y)[some].mean() > majority + 0.02
    sure = said.confidence > 0.9
    assert abs((said.top == y)[sure].mean() - said.confidence[sure].mean()) < 0.02, "calibrated"


def test_the_label_model_is_one_of_em_over_all_items_by_a_plain_loop() -> None:
    _, votes, of_class = planted(3, 300)
    model = label_model.fit(votes, of_class, SHARE)
    rate = votes.mean(axis=0)
    hit0 = np.minimum(0.7 * rate / SHARE[of_class], 1)
    miss0 = 0.3 * rate / (1 - SHARE[of_class])
    hit, miss = hit0, miss0
    for _ in range(300):
        p = np.tile(SHARE, (300, 1))
        for j, c in enumerate(of_class):
            for k in range(3):
                at = hit[j] if k == c else miss[j]
                p[:, k] *= np.where(votes[:, j], at, 1 - at)
        p /= p.sum(axis=1, keepdims=True)
        own = p[:, of_class]
        hit = ((own * votes).sum(axis=0) + 10 * hit0) / (own.sum(axis=0) + 10)
        miss = (((1 - own) * votes).sum(axis=0) + 10 * miss0) / ((1 - own).sum(axis=0) + 10)
        miss = np.minimum(miss, hit)
    np.testing.assert_allclose(model.hit, hit, atol=2e-3)
    np.testing.assert_allclose(model.miss, miss, atol=2e-3)


def test_items_that_nobody_votes_for_or_all_fit_alike_abstain() -> None:
    votes = np.array([[True, False], [False, True], [True, True], [False, False]] * 5)
    model = label_model.fit(votes, [0, 1], [1, 1])
    said = model.combine(votes[:4])
    assert said.top.tolist() == [0, 1, label_model.ABSTAIN, label_model.ABSTAIN]
    assert said.confidence[2:].tolist() == [0, 0]
    with pytest.raises(NothingToDo, match="no labelling function voted"):
        label_model.fit(np.zeros((3, 2), bool), [0, 1], [1, 1])
    for wrong in ((votes, [0, 2], [1, 1]), (votes, [0], [1, 1]), (votes, [0, 1], [1, 0])):
        with pytest.raises(InvalidInput):
            label_model.fit(*wrong)
