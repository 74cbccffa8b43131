"""The views of error analysis give scikit-learn's numbers, asked as a reader."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import psycopg
import pytest

from smartdb import datasets, evaluation, predictions, runs
from smartdb.errors import InvalidInput, NotFound, NothingToDo

NAMES = ["apple", "pear", "plum"]


@pytest.fixture
def version(conn: psycopg.Connection) -> datasets.DatasetVersion:
    return datasets.create_version(conn, "fruit", ontology="things")


def guess(conn: psycopg.Connection, seed: int, n_classes: int = 3) -> int:
    """A run of random predictions of all members, of the first classes only."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(3), 400)
    p[:, n_classes:] = 0
    p /= p.sum(axis=1, keepdims=True)
    with runs.run(conn, "train") as run:
        at = datasets.find_version(conn, "fruit", 1)
        ids = np.arange(1, 401)
        options = {"revision": at.revision, "dataset": "fruit", "version": 1}
        predictions.write(conn, run.run_id, ids, [1, 2, 3], p, **options)
    return run.run_id


def stored(conn: psycopg.Connection, run_id: int, split: str = "test") -> tuple[list, list]:
    """True and predicted classes of a split, by media."""
    query = (
        "select class, predicted_class from smartdb.prediction"
        " where run_id = %s and split = %s order by media_id"
    )
    truth, predicted = zip(*conn.execute(query, [run_id, split]).fetchall())
    return list(truth), list(predicted)


@pytest.fixture
def reader(as_role: Callable[[str], psycopg.Connection]) -> psycopg.Connection:
    return as_role("smartdb_reader")


@pytest.mark.usefixtures("version")
@pytest.mark.parametrize("n_classes", [3, 2])
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_class_metrics_and_confusion_are_those_of_sklearn(
    conn: psycopg.Connection, reader: psycopg.Connection, n_classes: int, split: str
) -> None:
    from sklearn import metrics

    run_id = guess(conn, 0, n_classes)
    truth, predicted = stored(conn, run_id, split)
    expected = metrics.precision_recall_fscore_support(
        truth, predicted, labels=NAMES, zero_division=np.nan
    )
    rows = {
        row[0]: row[1:]
        for row in reader.execute(
            "select class, precision, recall, f1, n_true from smartdb.class_metric"
            " where run_id = %s and split = %s",
            [run_id, split],
        )
    }
    found = np.array([rows[name] for name in NAMES], np.float64)  # None becomes NaN
    assert np.allclose(found[:, [0, 1]], np.transpose(expected)[:, [0, 1]], 1e-9, equal_nan=True)
    assert np.allclose(found[:, 2], np.nan_to_num(expected[2]), rtol=1e-9)
    assert found[:, 3].tolist() == expected[3].tolist()
    if n_classes == 2:
        assert math.isnan(found[2, 0])
    names, counts = evaluation.confusion_matrix(conn, run_id, split)
    assert names == NAMES
    assert np.array_equal(counts, metrics.confusion_matrix(truth, predicted, labels=NAMES))


@pytest.mark.usefixtures("version")
def test_slices_add_up_to_the_accuracy_of_sklearn(
    conn: psycopg.Connection, reader: psycopg.Connection
) -> None:
    from sklearn import metrics

    run_id = guess(conn, 0)
    rows = reader.execute(
        "select facet, sum(n), sum(n_wrong) from smartdb.slice_metric(%s) group by facet", [run_id]
    ).fetchall()
    accuracy = metrics.accuracy_score(*stored(conn, run_id))
    assert {row[0] for row in rows} >= {"class", "source", "brightness", "sharpness"}
    for _, n, n_wrong in rows:
        assert 1 - float(n_wrong) / float(n) == pytest.approx(accuracy, abs=1e-9)


@pytest.mark.usefixtures("version")
def test_a_planted_bad_slice_is_the_worst(
    conn: psycopg.Connection, owner: psycopg.Connection
) -> None:
    owner.execute("insert into core.slice (name, predicate) values ('dim', 'm.brightness < 0.3')")
    owner.commit()
    at = datasets.find_version(conn, "fruit", 1)
    ids = np.arange(1, 401)
    p = np.full((400, 3), 0.01)
    wrong = ids % 10 == 0
    p[np.arange(400), (ids + wrong) % 3] = 0.98
    with runs.run(conn, "train") as run:
        options = {"revision": at.revision, "dataset": "fruit", "version": 1}
        predictions.write(conn, run.run_id, ids, [1, 2, 3], p, **options)
    worst = evaluation.worst_slices(conn, run.run_id, "train", min_n=5)
    assert (worst[0]["facet"], worst[0]["slice"], worst[0]["accuracy"]) == ("slice", "dim", 0)
    assert worst[0]["z"] < -3
    errors = evaluation.errors(conn, run.run_id, None, limit=1000)
    assert sorted(row["media_id"] for row in errors) == list(range(10, 401, 10))
    assert (
        evaluation.errors(conn, run.run_id, "train", limit=3)
        == [row for row in errors if row["split"] == "train"][:3]
    )


@pytest.mark.usefixtures("version")
def test_mcnemar_is_that_of_the_formula(
    conn: psycopg.Connection, reader: psycopg.Connection
) -> None:
    from scipy.stats import chi2

    a, b = guess(conn, 1), guess(conn, 2)
    truth, of_a = (np.array(x) for x in stored(conn, a))
    of_b = np.array(stored(conn, b)[1])
    n_fixed = ((of_a != truth) & (of_b == truth)).sum()
    n_broken = ((of_a == truth) & (of_b != truth)).sum()
    expected = (abs(n_fixed - n_broken) - 1) ** 2 / (n_fixed + n_broken)
    found = evaluation.compare(conn, a, b)
    assert (found.n, found.n_fixed, found.n_broken) == (len(truth), n_fixed, n_broken)
    assert found.accuracy_b == pytest.approx((of_b == truth).mean(), abs=1e-9)
    assert found.chi_squared == pytest.approx(expected, abs=1e-9)
    assert found.p_value == pytest.approx(chi2.sf(expected, 1), abs=1e-9)
    row = reader.execute("select chi_squared from smartdb.run_comparison(%s, %s)", [a, b])
    assert row.fetchone() == (found.chi_squared,)
    changed = evaluation.regressions(conn, a, b, limit=1000)
    assert [row["change"] for row in changed] == ["broken"] * n_broken + ["fixed"] * n_fixed


@pytest.mark.usefixtures("version")
def test_a_run_against_itself_has_no_statistic(conn: psycopg.Connection) -> None:
    run_id = guess(conn, 1)
    found = evaluation.compare(conn, run_id, run_id)
    assert (found.n_fixed, found.n_broken, found.chi_squared, found.p_value) == (0, 0, None, None)


@pytest.mark.usefixtures("version")
def test_what_does_not_exist_is_named(conn: psycopg.Connection) -> None:
    run_id = guess(conn, 1)
    with pytest.raises(NotFound, match="run 999 has no predictions"):
        evaluation.compare(conn, run_id, 999)
    with pytest.raises(NotFound, match="run 999 has no predictions"):
        evaluation.errors(conn, 999)
    with pytest.raises(InvalidInput, match="no split 'dev'"):
        evaluation.class_metrics(conn, run_id, "dev")
    conn.execute("select 1")
    with runs.run(conn, "predict") as other:
        predictions.write(conn, other.run_id, [401], [1, 2, 3], [[1, 0, 0]], revision=1)
    with pytest.raises(NothingToDo, match="no test media in common"):
        evaluation.compare(conn, run_id, other.run_id)
