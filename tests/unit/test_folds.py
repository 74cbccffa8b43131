"""Out-of-fold probabilities: groups stay together, classes are spread, the seed decides."""

from __future__ import annotations

import numpy as np
import pytest

from smartdb import folds
from smartdb.errors import InvalidInput


def test_every_class_is_spread_evenly_over_the_folds() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 7, 1003)
    fold = folds.deal(labels, np.arange(1003), 5, 0)
    for name in range(7):
        n = np.bincount(fold[labels == name], minlength=5)
        assert n.max() - n.min() <= 1
    n = np.bincount(fold)
    assert n.max() - n.min() <= 1


def test_groups_stay_together_and_are_still_spread() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 200, 1000)
    labels = groups % 4
    fold = folds.deal(labels, groups, 5, 3)
    assert all(len(set(fold[groups == g])) == 1 for g in np.unique(groups))
    for name in range(4):
        n = np.bincount(fold[labels == name], minlength=5)
        assert n.max() < 1.3 * n.mean()


def test_the_seed_decides_the_folds() -> None:
    labels, groups = np.arange(100) % 2, np.arange(100)
    first, again, other = (folds.deal(labels, groups, 5, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def world(n: int = 240) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    vectors = rng.standard_normal((3, 8))[labels] + 0.7 * rng.standard_normal((n, 8))
    return vectors.astype(np.float32), labels


def test_probabilities_are_out_of_fold_and_tell_the_classes() -> None:
    vectors, labels = world()
    p = folds.out_of_fold(vectors, labels, np.arange(240), 5, 0)
    assert p.shape == (240, 3)
    assert p.sum(axis=1) == pytest.approx(np.ones(240), abs=1e-5)
    assert (p.argmax(axis=1) == labels).mean() > 0.8
    assert (p == folds.out_of_fold(vectors, labels, np.arange(240), 5, 0)).all()


def test_a_row_is_not_judged_by_a_head_that_saw_its_twin() -> None:
    """Twins with one vector and a wrong label: together in a fold they cannot learn it by heart."""
    vectors, labels = world()
    vectors = np.repeat(vectors, 2, axis=0)
    labels = np.repeat(labels, 2)
    groups = np.repeat(np.arange(240), 2)
    wrong = np.arange(480) < 40
    labels = np.where(wrong, (labels + 1) % 3, labels)
    options = {"folds": 5, "seed": 0, "weight_decay": 0.01}
    apart = folds.out_of_fold(vectors, labels, np.arange(480), **options)
    together = folds.out_of_fold(vectors, labels, groups, **options)
    own = np.arange(480), labels
    assert together[own][wrong].mean() < apart[own][wrong].mean()


def test_the_decay_with_the_least_loss_is_chosen() -> None:
    vectors, labels = world()
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((240, 300)).astype(np.float32)
    fold = folds.deal(labels, np.arange(240), 5, 0)
    few, many = (
        folds.choose_decay(x, labels, fold, 0) for x in (vectors, np.hstack([vectors, noise]))
    )
    assert few < many


@pytest.mark.parametrize(
    ("labels", "n_folds", "message"),
    [
        ([0] * 10, 2, "two or more classes"),
        ([0] * 6 + [1] * 2, 3, "in 3 groups"),
        ([], 5, "two or more classes"),
        ([0, 1] * 5, 1, "1 folds"),
    ],
)
def test_too_few_are_refused(labels: list[int], n_folds: int, message: str) -> None:
    vectors = np.zeros((len(labels), 2), np.float32)
    with pytest.raises(InvalidInput, match=message):
        folds.out_of_fold(vectors, np.array(labels, np.int64), np.arange(len(labels)), n_folds)
