"""k-means, SemDeDup and coverage as arithmetic, held against plain definitions of them."""

from __future__ import annotations

import numpy as np
import pytest

from smartdb import clusters, coverage, semdedup
from smartdb.errors import InvalidInput

Floats = np.ndarray[tuple[int, int], np.dtype[np.float32]]


def units(n: int, d: int = 12, seed: int = 0) -> Floats:
    return clusters.unit(np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32))


def with_copies() -> Floats:
    """300 vectors, then 50 of them again, then 30 others almost again."""
    x, noise = units(300), np.random.default_rng(1).standard_normal((30, 12)).astype(np.float32)
    return np.concatenate([x, x[:50], clusters.unit(x[50:80] + 0.003 * noise)])


def plain_semdedup(x: Floats, eps: float) -> set[int]:
    """The rows that the paper's algorithm drops from one cluster, by a whole matrix."""
    centre = x.sum(axis=0) / np.linalg.norm(x.sum(axis=0))
    order = np.argsort(np.round(x @ centre, 6), kind="stable")
    similarity = x[order] @ x[order].T
    largest = np.triu(similarity, 1).max(axis=0)
    return set(order[np.flatnonzero(largest > 1 - eps)].tolist())


def test_kmeans_finds_blobs_again_and_the_same_by_seed() -> None:
    truth = np.arange(200) % 4
    x = clusters.unit(units(4, seed=5)[truth] + 0.05 * units(200))
    found = clusters.kmeans(x, 8, seed=3)
    assert all(len(np.unique(truth[rows])) == 1 for rows in clusters.members(found.of))
    assert np.array_equal(found.of, clusters.kmeans(x, 8, seed=3).of)
    assert np.allclose(found.similarity, np.einsum("nd,nd->n", x, found.centres[found.of]))


def test_kmeans_of_fewer_vectors_than_clusters_and_of_none_at_all() -> None:
    assert len(clusters.kmeans(units(3), 10, 0).centres) == 3
    with pytest.raises(InvalidInput, match="one cluster or more, not 0"):
        clusters.kmeans(units(3), 0, 0)


def test_a_partition_holds_each_row_once_and_no_group_is_too_large() -> None:
    groups = clusters.partition(units(500), 60, seed=0)
    assert sorted(np.concatenate(groups)) == list(range(500))
    assert max(map(len, groups)) <= 60


def test_vectors_that_are_the_same_are_never_parted() -> None:
    x = np.repeat(units(7), 200, axis=0)
    groups = clusters.partition(x, 50, seed=0)
    assert sorted(map(len, groups)) == [200] * 7
    found = semdedup.redundancy(x, seed=0, largest=50)
    assert (~found.is_duplicate(0)).sum() == 7


@pytest.mark.parametrize("eps", [0.0, 0.001, 0.3])
def test_semdedup_drops_in_one_cluster_what_the_paper_drops(eps: float) -> None:
    x = with_copies()
    found = semdedup.redundancy(x, seed=0, largest=1000)
    dropped = set(np.flatnonzero(found.is_duplicate(eps)).tolist())
    if eps:  # the paper's rows of equal vectors come in another order
        assert len(dropped) == len(plain_semdedup(x, eps))
    else:
        assert len(dropped) == 50


def test_every_duplicate_leads_to_one_that_is_kept() -> None:
    found = semdedup.redundancy(with_copies(), seed=0, largest=100)
    goes, by = found.is_duplicate(0.3), found.kept_by(0.3)
    assert goes.sum() > 80
    assert not goes[by].any()
    assert np.array_equal(by[~goes], np.flatnonzero(~goes))


def test_a_larger_eps_drops_what_a_smaller_does_and_more() -> None:
    found = semdedup.redundancy(with_copies(), seed=0)
    n = [int(found.is_duplicate(eps).sum()) for eps in (0, 0.001, 0.1, 0.3, 1, 2)]
    assert n[0] == 50
    assert n[1] == 80
    assert n == sorted(n)
    assert n[-1] == 380


def test_sides_keep_the_least_or_the_most_central_of_two() -> None:
    x = clusters.unit(np.array([[1, 0.00, 0], [1, 0.01, 0], [1, -0.2, 0]], np.float32))
    near = {s: semdedup.redundancy(x, seed=0, side=s).is_duplicate(0.001) for s in ("hard", "easy")}
    assert near["hard"].tolist() == [True, False, False]
    assert near["easy"].tolist() == [False, True, False]


def test_coverage_is_the_distance_to_the_nearest_kept() -> None:
    x = units(300)
    for n_kept, found in zip((1, 7, 150), coverage.spreads(x, [1, 7, 150])):
        nearest = 1 - (x @ x[:n_kept].T).max(axis=1)
        assert found.mean_distance == pytest.approx(nearest.mean(), abs=1e-5)
        assert found.p95_distance == pytest.approx(np.quantile(nearest, 0.95), abs=1e-5)
    whole, nothing = coverage.spreads(x, [300, 0])
    assert (whole.mean_distance, whole.clusters_hit, whole.n_probes) == (0, 1, 300)
    assert (nothing.mean_distance, nothing.clusters_hit) == (None, 0)


def test_balance_and_repetition_at_a_fraction() -> None:
    classes, groups = np.array([5, 5, -1, 9, 9, 9]), np.array([1, -1, 2, 1, 2, 1])
    few, none = coverage.balances(classes, [3, 0])
    assert (few.n_classes, few.smallest_class, few.class_distance) == (1, 0, pytest.approx(0.6))
    assert (none.n_classes, none.class_distance) == (0, None)
    assert coverage.repetition_dropped(groups, [6, 4, 2]) == [0, pytest.approx(2 / 3), 1]
    assert coverage.repetition_dropped(np.array([-1, 3]), [1]) == [None]
