"""Label filters and qualities equal cleanlab's, on random data with ties and rare classes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from smartdb import label_filters, label_quality, multi_label, neighbour_votes
from smartdb.errors import InvalidInput
from smartdb.label_filters import FILTERS

cleanlab_filter = pytest.importorskip("cleanlab.filter")
cleanlab_rank = pytest.importorskip("cleanlab.rank")
Array = NDArray[Any]
OURS_ALONE = {"low_weighted_entropy"}


@pytest.fixture(autouse=True)
def _few_examples_are_no_warning() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cleanlab's, of classes with few examples
        yield


def world(seed: int) -> tuple[Array, Array]:
    """Labels and probabilities: rare and absent classes by some seeds, ties by others."""
    chance = np.random.default_rng(seed)
    n, n_classes = int(chance.integers(20, 900)), int(chance.integers(2, 24))
    shares = chance.dirichlet(np.full(n_classes, 0.3 if seed % 2 else 5))
    truth = chance.choice(n_classes, n, p=shares)
    odds = chance.gamma(0.4, size=(n, n_classes)) + 1e-3
    odds[np.arange(n), truth] += chance.gamma(1.5, size=n)
    p = odds / odds.sum(axis=1, keepdims=True)
    if seed % 3 == 0:  # ties: few different values
        p = np.round(p * 8) + 1
        p /= p.sum(axis=1, keepdims=True)
    labels = np.where(chance.random(n) < 0.2, chance.choice(n_classes, n, p=shares), truth)
    if len(np.unique(labels)) < 2:
        labels[:2] = 0, 1
    return labels, p


@pytest.mark.parametrize("filter_by", [name for name in FILTERS if name not in OURS_ALONE])
def test_a_filter_suspects_the_labels_that_cleanlab_does(filter_by: str) -> None:
    n_suspected = 0
    for seed in range(24):
        labels, p = world(seed)
        found = label_filters.find(labels, p, filter_by)
        expected = cleanlab_filter.find_label_issues(labels, p, filter_by=filter_by, n_jobs=1)
        assert (found == expected).all(), seed
        n_suspected += found.sum()
        for method, score in label_quality.SCORES.items() if seed % 4 < 2 else ():
            order = cleanlab_filter.find_label_issues(
                labels, p, filter_by=filter_by, n_jobs=1, return_indices_ranked_by=method
            )
            ours = score(labels, p)
            ranked = label_filters.ranked(found, ours)
            assert (np.sort(ranked) == np.sort(order)).all(), (seed, method)
            assert np.allclose(ours[ranked], ours[order], atol=1e-9), (seed, method)
            if method == "self_confidence":  # ties too
                assert (ranked == order).all(), seed
    assert n_suspected > 300


@pytest.mark.parametrize("filter_by", ["prune_by_noise_rate", "prune_by_class", "both"])
@pytest.mark.parametrize("options", [(5, 1.0), (1, 0.5), (12, 0.3)])
def test_a_filter_keeps_examples_and_takes_a_share_as_cleanlab_does(
    filter_by: str, options: tuple[int, float]
) -> None:
    least, share = options
    for seed in range(6):
        labels, p = world(seed)
        keywords: dict[str, Any] = {"min_examples_per_class": least, "frac_noise": share}
        found = label_filters.find(labels, p, filter_by, **keywords)
        expected = cleanlab_filter.find_label_issues(
            labels, p, filter_by=filter_by, n_jobs=1, **keywords
        )
        assert (found == expected).all(), seed


@pytest.mark.parametrize("method", list(label_quality.SCORES))
@pytest.mark.parametrize("adjust", [False, True])
def test_a_quality_is_that_of_cleanlab(method: str, adjust: bool) -> None:
    if adjust and method == "confidence_weighted_entropy":
        with pytest.raises(InvalidInput, match="not defined on adjusted"):
            label_quality.quality(*world(0), method, adjust=True)
        return
    for seed in range(24):
        labels, p = world(seed)
        found = label_quality.quality(labels, p, method, adjust=adjust)
        expected = cleanlab_rank.get_label_quality_scores(
            labels, p, method=method, adjust_pred_probs=adjust
        )
        assert np.abs(found - expected).max() < 1e-9, seed
        assert (np.diff(expected[np.argsort(found, kind="stable")]) > -1e-9).all(), seed


def test_probabilities_of_nought_and_one_are_scored_as_cleanlab_does() -> None:
    p = np.array([[1.0, 0, 0], [0, 1, 0], [0.5, 0.5, 0]])
    labels = np.array([0, 0, 1])
    for method in label_quality.SCORES:
        expected = cleanlab_rank.get_label_quality_scores(labels, p, method=method)
        assert np.allclose(label_quality.quality(labels, p, method), expected, atol=1e-9)


def test_float32_probabilities_give_what_the_same_values_in_float64_do() -> None:
    for seed in range(10):
        labels, p = world(seed)
        single = p.astype(np.float32)
        for name in FILTERS:
            found = label_filters.find(labels, single, name)
            assert (found == label_filters.find(labels, single.astype(np.float64), name)).all()


@pytest.mark.parametrize(
    "filter_by", ["prune_by_noise_rate", "prune_by_class", "both", "confident_learning"]
)
def test_classes_of_media_with_several_are_suspected_as_by_cleanlab(filter_by: str) -> None:
    from cleanlab import multilabel_classification as cleanlab_multi
    from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class
    from cleanlab.multilabel_classification.rank import get_label_quality_scores_per_class

    for seed in range(6):
        chance = np.random.default_rng(seed)
        truth = chance.random((250, 5)) < chance.uniform(0.05, 0.6, 5)
        p = np.clip(np.where(truth, 0.75, 0.25) + 0.2 * chance.standard_normal((250, 5)), 0, 1)
        given = truth ^ (chance.random((250, 5)) < 0.08)
        lists = [np.flatnonzero(row).tolist() for row in given]
        found = multi_label.find(given, p, filter_by)
        expected = find_multilabel_issues_per_class(lists, p, filter_by=filter_by, n_jobs=1)
        assert (found == expected).all(), seed
        for method in label_quality.SCORES:
            scores = multi_label.class_quality(given, p, method)
            assert np.allclose(
                scores, get_label_quality_scores_per_class(lists, p, method=method), atol=1e-9
            )
            whole = cleanlab_multi.get_label_quality_scores(lists, p, method=method)
            assert np.allclose(multi_label.quality(scores), whole, atol=1e-9)


def test_the_shapley_value_by_lists_is_that_of_the_dense_matrix() -> None:
    from cleanlab.data_valuation import _knn_shapley_score

    for seed in range(8):
        chance = np.random.default_rng(seed)
        n, k = 150, int(chance.integers(2, 12))
        distances = chance.random((n, n)) + 9 * np.eye(n)
        neighbours = distances.argsort(axis=1)[:, :k]
        labels = chance.integers(0, 3, n)
        expected = 0.5 * (_knn_shapley_score(neighbours, labels, k) + 1)
        assert np.abs(neighbour_votes.shapley(labels, neighbours) - expected).max() < 1e-12


def test_a_media_whose_neighbours_are_all_of_another_class_is_disagreed_with() -> None:
    labels = np.array([0, 1, 1, 1])
    neighbours = np.array([[1, 2], [2, 3], [1, 0], [-1, -1]])
    found = neighbour_votes.disagreement(labels, neighbours)
    assert np.array_equal(found, [1, 0, 0.5, np.nan], equal_nan=True)
    near = neighbour_votes.disagreement(labels, neighbours, np.full((4, 2), [0.2, 0.6]))
    assert near[2] == pytest.approx(0.4 / 1.2)
    votes = neighbour_votes.votes(labels, neighbours, 2)
    assert np.array_equal(votes[:3], [[0, 1], [0, 1], [0.5, 0.5]])
    assert neighbour_votes.shapley(labels, neighbours).argmin() in (0, 2)
    with pytest.raises(InvalidInput, match="none of the rows"):
        neighbour_votes.shapley(labels, neighbours + 2)
