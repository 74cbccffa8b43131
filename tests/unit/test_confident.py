"""Confident learning against values worked out by hand from the paper's definitions."""

from __future__ import annotations

import numpy as np
import pytest

from smartdb import confident
from smartdb.errors import InvalidInput

# class 0: 0.9, 0.8, 0.2 for itself, threshold 1.9 / 3; class 1: 0.9, 0.6, 0.3, threshold 0.6
LABELS = np.array([0, 0, 0, 1, 1, 1])
P = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6], [0.7, 0.3]])


def test_thresholds_are_the_mean_self_confidence_of_each_class() -> None:
    assert confident.thresholds(LABELS, P) == pytest.approx([1.9 / 3, 0.6])


def test_a_class_without_examples_is_never_confident() -> None:
    wide = np.hstack([P * 0.5, np.full((6, 1), 0.5)])
    assert confident.thresholds(LABELS, wide)[2] == np.inf
    assert 2 not in confident.confident_classes(LABELS, wide)


def test_the_confident_joint_by_hand() -> None:
    assert confident.confident_classes(LABELS, P).tolist() == [0, 0, 1, 1, 1, 0]
    assert confident.confident_joint(LABELS, P).tolist() == [[2, 1], [1, 2]]


def test_what_reaches_no_threshold_is_not_counted() -> None:
    labels, p = np.append(LABELS, 0), np.vstack([P, [0.5, 0.5]])
    # threshold 0 is now 2.4 / 4 = 0.6: the row is below both
    assert confident.confident_classes(labels, p)[-1] == -1
    assert confident.confident_joint(labels, p).sum() == 6


def test_of_several_classes_above_their_thresholds_the_likeliest_counts() -> None:
    labels = np.array([0, 1, 2, 0])
    p = np.array([[0.4, 0.3, 0.3], [0.3, 0.4, 0.3], [0.3, 0.3, 0.4], [0.41, 0.45, 0.14]])
    # thresholds 0.405, 0.4, 0.4: the last row reaches both of 0 and 1
    assert confident.confident_classes(labels, p).tolist() == [-1, 1, 2, 1]


def test_the_noise_joint_is_scaled_to_the_given_classes() -> None:
    labels, p = np.append(LABELS, 0), np.vstack([P, [0.5, 0.5]])
    expected = np.array([[4 * 2 / 3, 4 * 1 / 3], [1, 2]]) / 7
    assert confident.noise_joint(labels, p) == pytest.approx(expected)
    assert confident.noise_joint(labels, p).sum() == pytest.approx(1)


def test_a_class_without_examples_has_no_share() -> None:
    labels = np.array([0, 0, 2, 2])
    p = np.array([[0.9, 0.05, 0.05], [0.3, 0.1, 0.6], [0.2, 0.3, 0.5], [0.1, 0.4, 0.5]])
    # thresholds 0.6, none, 0.5: of class 0 one is confidently 2
    assert confident.noise_joint(labels, p).tolist() == [[0.25, 0, 0.25], [0, 0, 0], [0, 0, 0.5]]


@pytest.mark.parametrize("rule", list(confident.RULES.values()))
def test_every_rule_suspects_the_two_swapped(rule: confident.Rule) -> None:
    assert np.flatnonzero(rule(LABELS, P)).tolist() == [2, 5]


def test_the_rules_differ_where_nothing_is_confident() -> None:
    labels, p = np.append(LABELS, 0), np.vstack([P, [0.45, 0.55]])
    # threshold 0 is 2.35 / 4: the last row leans to 1, but not confidently
    assert confident.by_prediction(labels, p)[-1]
    assert not confident.by_confident_joint(labels, p)[-1]


def test_noise_rate_takes_the_largest_margins_and_rank_the_least_self_confident() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    p = np.array(
        [
            [0.9, 0.05, 0.05], [0.8, 0.1, 0.1], [0.30, 0.36, 0.34], [0.31, 0.65, 0.04],
            [0.1, 0.6, 0.3], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8],
        ]
    )  # fmt: skip
    # thresholds 0.5775, 0.55, 0.8: one of class 0 is confidently 1, of 3 that are confident
    assert confident.confident_joint(labels, p)[0].tolist() == [2, 1, 0]
    assert np.flatnonzero(confident.by_noise_rate(labels, p)).tolist() == [3]  # 4/3, rounded
    assert np.flatnonzero(confident.by_rank(labels, p)).tolist() == [2]


def test_rank_never_suspects_what_the_model_would_say_too() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), 500)
    labels = rng.integers(0, 4, 500)
    suspects = confident.by_rank(labels, p)
    assert 0 < suspects.sum() <= confident.by_noise_rate(labels, p).sum()
    assert not (suspects & (p.argmax(axis=1) == labels)).any()


def test_scores_rise_with_doubt() -> None:
    assert confident.self_confidence(LABELS, P) == pytest.approx([0.1, 0.2, 0.8, 0.1, 0.4, 0.7])
    margins = confident.normalised_margin(LABELS, P)
    assert margins == pytest.approx([0.1, 0.2, 0.8, 0.1, 0.4, 0.7])
    three = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    margins = confident.normalised_margin(np.array([0, 1]), three)
    assert margins == pytest.approx([0.4, 0.6])


def test_perfect_labels_are_not_suspected() -> None:
    labels = np.arange(300) % 3
    p = np.full((300, 3), 0.1)
    p[np.arange(300), labels] = 0.8
    for rule in confident.RULES.values():
        assert not rule(labels, p).any()


def test_no_labels_give_no_suspects() -> None:
    nothing, none = np.zeros(0, np.int64), np.zeros((0, 3))
    for rule in confident.RULES.values():
        assert rule(nothing, none).shape == (0,)
    assert confident.self_confidence(nothing, none).shape == (0,)


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [[0.5, 0.5]], "do not fit"),
        ([0], [0.5], "do not fit"),
        ([0], [[1.0]], "1 classes"),
        ([2], [[0.5, 0.5]], "none of the 2 classes"),
        ([-1], [[0.5, 0.5]], "none of the 2 classes"),
        ([0], [[np.nan, 0.5]], "not a number"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    labels: list[int], probabilities: list[list[float]], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        confident.by_rank(np.array(labels), np.array(probabilities))
