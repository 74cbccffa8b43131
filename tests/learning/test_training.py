"""Training a head: what it writes, once, and how its scores are those of the views and sklearn."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg
import pytest

from smartdb import artifacts, datasets, heads, models, runs, training
from smartdb.database import connect
from smartdb.errors import InvalidInput, NotFound, NothingToDo, SmartdbError

Reader = Callable[[str], psycopg.Connection]
COUNTS = "select count(*) from core.model, core.evaluation"


@pytest.fixture
def fruit(conn: psycopg.Connection) -> datasets.DatasetVersion:
    """Version 1 of the dataset fruit."""
    return datasets.create_version(conn, "fruit", ontology="things")


def by_sklearn(conn: psycopg.Connection, run_id: int, split: str) -> dict[str, float]:
    """The scores of a run by scikit-learn, from its stored predictions."""
    from sklearn import metrics

    rows = conn.execute(
        "select class, predicted_class, probability from smartdb.prediction"
        " where run_id = %s and split = %s",
        [run_id, split],
    ).fetchall()
    truth, predicted, stored = zip(*rows)
    p = np.array(stored, np.float64)
    return {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro"),
        "log_loss": metrics.log_loss(truth, p / p.sum(axis=1, keepdims=True)),
    }


@pytest.mark.usefixtures("fruit")
def test_a_run_writes_model_predictions_and_scores(conn: psycopg.Connection) -> None:
    made = training.train_head(conn, "fruit", 1, "toy", name="fruits")
    assert made.is_new
    assert made.notes == ()
    row = conn.execute(
        "select run_id, model_id, model, dataset, version, encoder, seed, classes, status,"
        " test_accuracy from smartdb.training_run"
    ).fetchone()
    accuracy = made.metrics["test"]["accuracy"]
    expected = (made.run_id, made.model_id, "fruits", "fruit", 1, "toy", 0)
    assert row == (*expected, ["apple", "pear", "plum"], "succeeded", accuracy)
    assert accuracy > 0.6
    query = "select count(*), count(split), count(class) from smartdb.prediction where run_id = %s"
    assert conn.execute(query, [made.run_id]).fetchone() == (400, 400, 400)


@pytest.mark.usefixtures("fruit")
def test_scores_are_those_of_sklearn_over_the_stored_predictions(conn: psycopg.Connection) -> None:
    made = training.train_head(conn, "fruit", 1)
    for split in ("train", "val", "test"):
        assert made.metrics[split] == pytest.approx(by_sklearn(conn, made.run_id, split), abs=1e-6)
    assert models.read_metrics(conn, made.run_id) == made.metrics


@pytest.mark.usefixtures("fruit")
def test_the_learning_curve_is_kept_by_epoch(conn: psycopg.Connection) -> None:
    told: list[heads.Epoch] = []
    made = training.train_head(conn, "fruit", 1, weight_decay=1.0, progress=told.append)
    query = (
        "select step, value, n from smartdb.metric where run_id = %s and name = 'loss'"
        " and split = 'train' order by step"
    )
    n = made.counts["train"]
    rows = conn.execute(query, [made.run_id]).fetchall()
    assert rows == [(epoch.step, epoch.loss, n) for epoch in told]
    assert rows[-1][1] < rows[0][1]


@pytest.mark.usefixtures("fruit")
def test_the_same_again_returns_the_run_that_is_there(conn: psycopg.Connection) -> None:
    first = training.train_head(conn, "fruit", 1)
    again = training.train_head(conn, "fruit", 1)
    assert (again.run_id, again.is_new) == (first.run_id, False)
    assert again.metrics == first.metrics
    assert again.counts == first.counts
    for other in ({"seed": 1}, {"epochs": 3}, {"weight_decay": 9.0}, {"name": "x"}):
        assert training.train_head(conn, "fruit", 1, **other).is_new
    query = "select count(*) from core.run where kind = 'train'"
    assert conn.execute(query).fetchone() == (5,)


@pytest.mark.usefixtures("fruit")
def test_the_same_seed_makes_the_same_weights_in_another_run(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    import smartdb

    training.train_head(conn, "fruit", 1)
    monkeypatch.setattr(smartdb, "__version__", "99")
    assert training.train_head(conn, "fruit", 1).is_new
    query = "select count(*), count(distinct sha256) from smartdb.training_run"
    assert conn.execute(query).fetchone() == (2, 1)


@pytest.mark.usefixtures("fruit")
def test_two_who_train_the_same_at_once_make_one_run(database: str) -> None:
    def work(_: int) -> int:
        with connect(database) as own:
            return training.train_head(own, "fruit", 1).run_id

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(work, range(3)))) == 1


@pytest.mark.usefixtures("fruit")
def test_items_without_a_vector_are_named_with_the_next_step(
    conn: psycopg.Connection, owner: psycopg.Connection
) -> None:
    owner.execute("delete from core.embedding_1 where media_id in (5, 9)")
    owner.commit()
    with pytest.raises(NotFound, match=r"2 of 400 items .*media 5, 9.*smartdb embed --encoder toy"):
        training.train_head(conn, "fruit", 1)
    assert conn.execute("select status from core.run where kind = 'train'").fetchall() == [
        ("failed",)
    ]
    assert conn.execute(COUNTS).fetchone() == (0,)


def test_what_does_not_exist_is_named(
    conn: psycopg.Connection, fruit: datasets.DatasetVersion
) -> None:
    with pytest.raises(NotFound, match="'fruit' has no sealed version 7"):
        training.train_head(conn, "fruit", 7)
    with pytest.raises(NotFound, match="no encoder 'clip'; there are: toy"):
        training.train_head(conn, "fruit", 1, "clip")
    with pytest.raises(NotFound, match="there is no model 5"):
        training.predict(conn, 5)
    with pytest.raises(NotFound, match=f"no model of run {fruit.run_id}"):
        models.find_model(conn, run_id=fruit.run_id)


def test_one_class_or_no_train_items_cannot_be_trained_on(conn: psycopg.Connection) -> None:
    datasets.create_version(conn, "one", ontology="things", query="m.media_id % 3 = 0")
    with pytest.raises(InvalidInput, match=r"one class only \(apple\)"):
        training.train_head(conn, "one", 1)
    few = "m.media_id < 5"
    datasets.create_version(conn, "few", ontology="things", query=few, val=0.0, test=0.999)
    with pytest.raises(InvalidInput, match="no train items"):
        training.train_head(conn, "few", 1)


def test_a_class_without_test_items_is_said(conn: psycopg.Connection) -> None:
    made = datasets.create_version(conn, "fruit", ontology="things")
    query = (
        "select array_agg(media_id) from smartdb.dataset_item_at('fruit', 1)"
        " where class = 'plum' and split = 'test'"
    )
    (plums,) = conn.execute(query).fetchone() or ([],)
    assert made.is_new
    without = f"m.media_id <> all ('{{{','.join(map(str, plums))}}}'::bigint[])"
    datasets.create_version(conn, "fruit", query=without)
    run = training.train_head(conn, "fruit", 2)
    assert run.notes == ("1 of 3 classes have no test item: plum",)
    assert run.counts["classes_without_test"] == ["plum"]
    assert training.train_head(conn, "fruit", 2).notes == run.notes
    counts = conn.execute("select counts from core.run where run_id = %s", [run.run_id]).fetchone()
    assert counts is not None
    assert counts[0]["classes_without_test"] == ["plum"]


def test_a_version_without_val_and_test_items_has_train_scores_only(
    conn: psycopg.Connection,
) -> None:
    datasets.create_version(conn, "all", ontology="things", val=0.0, test=0.0)
    run = training.train_head(conn, "all", 1)
    assert list(run.metrics) == ["train"]
    assert len(run.notes) == 2


@pytest.mark.usefixtures("fruit")
def test_labels_of_later_do_not_change_what_a_version_trains_on(conn: psycopg.Connection) -> None:
    first = training.train_head(conn, "fruit", 1)
    conn.execute("update core.label set rev_to = 0 where rev_to is null and media_id <= 200")
    conn.commit()
    second = training.train_head(conn, "fruit", 1, name="later")
    assert second.metrics == first.metrics


@pytest.mark.usefixtures("fruit")
def test_predict_sees_unlabelled_media_and_repeats_itself_only_when_there_are_more(
    conn: psycopg.Connection, owner: psycopg.Connection
) -> None:
    trained = training.train_head(conn, "fruit", 1)
    found = training.predict(conn, trained.model_id)
    assert (found.n, found.is_new) == (460, True)
    query = "select count(*), count(split), count(class) from smartdb.prediction where run_id = %s"
    assert conn.execute(query, [found.run_id]).fetchone() == (460, 400, 400)
    same = "select probability from smartdb.prediction where run_id = %s and media_id = 3"
    assert (
        conn.execute(same, [found.run_id]).fetchone()
        == conn.execute(same, [trained.run_id]).fetchone()
    )
    again = training.predict(conn, trained.model_id)
    assert (again.run_id, again.is_new) == (found.run_id, False)
    owner.execute("delete from core.embedding_1 where media_id = 460")
    owner.commit()
    fewer = training.predict(conn, trained.model_id)
    assert (fewer.n, fewer.is_new) == (459, True)


@pytest.mark.usefixtures("fruit")
def test_predict_some_media_and_refuse_those_without_a_vector(
    conn: psycopg.Connection, owner: psycopg.Connection
) -> None:
    trained = training.train_head(conn, "fruit", 1)
    assert training.predict(conn, trained.model_id, [405, 401, 405]).n == 2
    owner.execute("delete from core.embedding_1 where media_id = 460")
    owner.commit()
    with pytest.raises(NotFound, match="1 of 2 media asked for have no vector"):
        training.predict(conn, trained.model_id, [401, 460])
    with pytest.raises(NothingToDo, match="no media that model"):
        training.predict(conn, trained.model_id, [])


@pytest.mark.usefixtures("fruit")
def test_weights_that_changed_on_disk_are_not_used(conn: psycopg.Connection) -> None:
    trained = training.train_head(conn, "fruit", 1)
    file = next(path for path in artifacts.folder().rglob("*.safetensors"))
    file.write_bytes(b"other")
    with pytest.raises(SmartdbError, match="has changed since"):
        training.predict(conn, trained.model_id)


KILLED = """
import sys, time
import numpy as np
from smartdb import heads, models, training
from smartdb.database import connect
heads.fit_chosen = lambda *_, **__: (heads.Head(np.zeros((3, 16), "f4"), np.zeros(3, "f4")), 1.0)
models._metrics = lambda *_: (print("writing", flush=True), time.sleep(60))
training.train_head(connect(sys.argv[1]), "fruit", 1)
"""


@pytest.mark.usefixtures("fruit")
def test_a_run_killed_while_it_writes_leaves_nothing_half(
    conn: psycopg.Connection, database: str
) -> None:
    command = [sys.executable, "-c", KILLED, database]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    assert said == b"writing\n"
    assert conn.execute(COUNTS).fetchone() == (0,)
    conn.commit()
    assert training.train_head(conn, "fruit", 1).is_new
    query = "select status from core.run where kind = 'train' order by run_id"
    assert conn.execute(query).fetchall() == [("failed",), ("succeeded",)]
    assert runs.dead(conn) == []


@pytest.mark.usefixtures("fruit")
def test_a_caller_in_autocommit_mode_is_served_too(database: str) -> None:
    with connect(database, autocommit=True) as own:
        trained = training.train_head(own, "fruit", 1)
        assert training.predict(own, trained.model_id).n == 460


@pytest.mark.usefixtures("fruit")
def test_a_run_says_how_each_train_item_went_through_it(conn: psycopg.Connection) -> None:
    made = training.train_head(conn, "fruit", 1, "toy")
    rows = conn.execute(
        "select d.class = p.class, d.loss + ln(p.probability[d.class_id]), d.el2n, d.loss"
        " from smartdb.training_dynamics as d join smartdb.prediction as p using (run_id, media_id)"
        " where d.run_id = %s and p.split = 'train'",
        [made.run_id],
    ).fetchall()
    same, off, el2n, loss = map(np.array, zip(*rows))
    assert len(rows) == made.counts["train"]
    assert same.all()
    assert np.abs(off).max() < 1e-5
    assert np.corrcoef(el2n, loss)[0, 1] > 0.5
