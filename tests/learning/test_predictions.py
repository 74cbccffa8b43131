"""Predictions are checked, measured for certainty, and land in the partition of their run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import psycopg
import pytest

from smartdb import predictions, runs
from smartdb.errors import Conflict, InvalidInput, NotFound, NothingToDo

CLASSES = [1, 2, 3]
P = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0], [0.4, 0.4, 0.2]], np.float32)


@pytest.fixture
def run_id(conn: psycopg.Connection) -> Iterator[int]:
    with runs.run(conn, "predict") as run:
        yield run.run_id


def test_predictions_read_back_as_they_were(conn: psycopg.Connection, run_id: int) -> None:
    assert predictions.write(conn, run_id, [5, 3, 4], CLASSES, P, revision=1000) == 3
    rows = conn.execute(
        "select media_id, predicted_class, class, is_correct, confidence, margin, probability"
        " from smartdb.prediction where run_id = %s order by media_id",
        [run_id],
    ).fetchall()
    assert [row[:4] for row in rows] == [
        (3, "plum", "apple", False),
        (4, "apple", "pear", False),
        (5, "apple", "plum", False),
    ]
    assert np.allclose([row[4] for row in rows], [1, 0.4, 0.7])
    assert np.allclose([row[5] for row in rows], [1, 0, 0.5], atol=1e-6)
    assert np.array_equal(np.array([row[6] for row in rows], np.float32), P[[1, 2, 0]])


def test_entropy_is_that_of_scipy_and_zero_for_certainty() -> None:
    from scipy.stats import entropy

    p = np.random.default_rng(0).dirichlet(np.ones(7), 50)
    assert np.allclose(predictions.certainty(p).entropy, entropy(p, axis=1), rtol=1e-12)
    assert predictions.certainty(np.eye(3)).entropy.tolist() == [0, 0, 0]


def test_a_reader_sees_them_and_a_partition_of_their_own_holds_them(
    conn: psycopg.Connection, run_id: int, as_role: Callable[[str], psycopg.Connection]
) -> None:
    predictions.write(conn, run_id, [3], CLASSES, P[:1], revision=1000)
    where = conn.execute("select tableoid::regclass::text from core.prediction").fetchall()
    assert where == [(f"core.prediction_{run_id}",)]
    conn.commit()
    query = "select count(*) from smartdb.prediction where run_id = %s"
    assert as_role("smartdb_reader").execute(query, [run_id]).fetchone() == (1,)


@pytest.mark.parametrize(
    ("ids", "classes", "p", "message"),
    [
        ([1, 2, 1], CLASSES, P, "media predicted twice: 1"),
        ([1, 2], CLASSES, P, "probabilities"),
        ([1, 2, 3], [1, 2], P, "2 classes"),
        ([1, 2, 3], [1, 2, 2], P, "each once"),
        ([1, 2, 3], [1], P[:, :1], "two or more classes"),
        ([1, 2, 3], CLASSES, P * [[1], [1], [0.99]], "sum 1 for media 3"),
        ([1, 2, 3], CLASSES, P * [[1], [np.nan], [1]], "sum 1 for media 2"),
        (
            [1, 2, 3],
            CLASSES,
            P - np.array([[0, 0.5, -0.5], [0, 0, 0], [0, 0, 0]]),
            "sum 1 for media 1",
        ),
    ],
)
def test_what_is_no_distribution_over_distinct_media_is_refused(
    conn: psycopg.Connection, ids: list[int], classes: list[int], p: np.ndarray, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        predictions.write(conn, 1, ids, classes, p, revision=1)


def test_no_predictions_at_all_are_refused(conn: psycopg.Connection) -> None:
    with pytest.raises(NothingToDo, match="no predictions to write"):
        predictions.write(conn, 1, [], CLASSES, P[:0], revision=1)


def test_unknown_media_and_classes_are_listed(conn: psycopg.Connection, run_id: int) -> None:
    with pytest.raises(NotFound, match="no media with these ids: 777, 999"):
        predictions.write(conn, run_id, [999, 1, 777], CLASSES, P, revision=1)
    with pytest.raises(NotFound, match="no class with these ids: 8, 9"):
        predictions.write(conn, run_id, [1, 2, 3], [9, 2, 8], P, revision=1)
    with pytest.raises(NotFound, match="no sealed version 4 of dataset 'fruit'"):
        predictions.write(
            conn, run_id, [1, 2, 3], CLASSES, P, revision=1, dataset="fruit", version=4
        )


def test_a_hidden_media_counts_as_unknown(
    conn: psycopg.Connection, owner: psycopg.Connection, run_id: int
) -> None:
    owner.execute("insert into core.restriction (media_id, reason) values (4, 'withdrawn')")
    owner.commit()
    with pytest.raises(NotFound, match="these ids: 4"):
        predictions.write(conn, run_id, [3, 4, 5], CLASSES, P, revision=1)


def test_a_run_predicts_once(conn: psycopg.Connection, run_id: int) -> None:
    predictions.write(conn, run_id, [1, 2, 3], CLASSES, P, revision=1)
    with pytest.raises(Conflict):
        predictions.write(conn, run_id, [4, 5, 6], CLASSES, P, revision=1)
    conn.rollback()
