"""Suspected label errors: found, asked once, never asked again when decided."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import psycopg
import pytest

from smartdb import label_conflicts, label_issues, labelled, reviews, tasks
from smartdb.database import connect
from smartdb.errors import InvalidInput, NotFound, NothingToDo

Conn = psycopg.Connection
WRONG = range(1, 401, 20)
"""Media that `spoiled` gives the next class: 20 of the 400."""


@pytest.fixture
def spoiled(conn: Conn, owner: Conn) -> Conn:
    """The world with clearer classes, and with some labels wrong."""
    rng = np.random.default_rng(5)
    x = np.eye(3, 16)[np.arange(1, 461) % 3] + 0.15 * rng.standard_normal((460, 16))
    owner.execute("delete from core.embedding_1")
    values = [(i, str(v)) for i, v in enumerate(x.round(4).tolist(), 1)]
    with owner.cursor() as cursor:
        cursor.executemany("insert into core.embedding_1 values (%s, %s::halfvec)", values)
    owner.commit()
    for media_id in WRONG:
        relabel(conn, media_id, 1 + (media_id + 1) % 3)
    conn.commit()
    return conn


def relabel(conn: Conn, media_id: int, class_id: int) -> None:
    conn.execute(
        "update core.label set rev_to = 0 where media_id = %s and rev_to is null", [media_id]
    )
    conn.execute(
        "insert into core.label (media_id, class_id, origin, actor_id)"
        " values (%s, %s, 'import', 1)",
        [media_id, class_id],
    )


def suspects(conn: Conn, state: label_issues.State | None = "open") -> set[int]:
    return {i.media_id for i in label_issues.issues(conn, state=state, kind="swapped")}


def truth(media_id: int) -> str:
    return ("apple", "pear", "plum")[media_id % 3]


def test_wrong_labels_are_suspected_with_the_right_class(spoiled: Conn) -> None:
    found = label_issues.find(spoiled, "toy")
    assert found["examined"] == 400
    assert found["left_out"] == []
    assert found["new"] == found["suspected"] == len(suspects(spoiled))
    assert len(suspects(spoiled) & set(WRONG)) >= 18
    assert len(suspects(spoiled) - set(WRONG)) <= 2
    top = label_issues.issues(spoiled, n=15)
    assert {i.media_id for i in top} < set(WRONG)
    assert [i.suggested for i in top] == [truth(i.media_id) for i in top]
    assert all(0.5 < i.score <= 1 and i.label != i.suggested for i in top)
    assert [i.score for i in top] == sorted((i.score for i in top), reverse=True)


def test_the_rule_of_prediction_suspects_all_that_the_model_would_not_say(spoiled: Conn) -> None:
    found = label_issues.find(spoiled, "toy", detector="prediction")
    assert suspects(spoiled) >= set(WRONG)
    n = spoiled.execute(
        "select count(*) from smartdb.prediction where run_id = %s and not is_correct",
        [found["run_id"]],
    ).fetchone()
    assert n == (found["suspected"],)


def test_the_out_of_fold_probabilities_are_kept_as_predictions(spoiled: Conn) -> None:
    found = label_issues.find(spoiled, "toy")
    row = spoiled.execute(
        "select count(*), count(distinct p.media_id), avg((p.class = 'x')::int), min(e.model_id)"
        " from smartdb.prediction as p join core.evaluation as e using (run_id)"
        " where run_id = %s",
        [found["run_id"]],
    ).fetchone()
    assert row == (400, 400, 0, None)
    wrong = spoiled.execute(
        "select count(*) from smartdb.error where run_id = %s and issue_score is not null",
        [found["run_id"]],
    ).fetchone()
    assert wrong == (found["suspected"],)


def test_a_second_run_suspects_the_same_and_asks_nothing_new(spoiled: Conn) -> None:
    first = label_issues.find(spoiled, "toy")
    before = label_issues.issues(spoiled)
    again = label_issues.find(spoiled, "toy")
    assert (again["new"], again["dropped"], again["suspected"]) == (0, 0, first["suspected"])
    assert label_issues.issues(spoiled) == before


def test_twins_are_judged_in_one_fold(spoiled: Conn) -> None:
    revision = spoiled.execute("select core.checkpoint()").fetchone()
    assert revision is not None
    found = labelled.read(spoiled, "toy", "things", revision[0])
    group = dict(zip(found.media_ids.tolist(), found.groups.tolist(), strict=True))
    assert group[11] == group[12] != group[13]
    assert len(set(group.values())) == 398


def test_decided_issues_stay_decided_and_settled_labels_are_not_asked_again(spoiled: Conn) -> None:
    label_issues.find(spoiled, "toy", detector="prediction")
    tasks.queue_reviews(spoiled)
    stubborn = {m: label for m, label in last_labels(spoiled).items() if m in (1, 21)}
    fixed = {m: truth(m) for m in WRONG if m > 21}
    answered = reviews.answer_from_truth(spoiled, stubborn | fixed, 1000)
    assert (answered["wrong_found"], answered["right"]) == (18, 2)
    spoiled.commit()
    assert suspects(spoiled, "confirmed") == set(fixed)
    assert suspects(spoiled, "dismissed") == set(stubborn)
    again = label_issues.find(spoiled, "toy", detector="prediction")
    assert suspects(spoiled, "dismissed") == set(stubborn)
    assert not suspects(spoiled) & set(WRONG)
    assert again["settled"] >= 2
    assert tasks.queue_reviews(spoiled)["opened"] <= again["new"]


def last_labels(conn: Conn) -> dict[int, str]:
    return dict(conn.execute("select media_id, class from smartdb.media_class").fetchall())


def test_what_is_no_longer_suspected_is_dropped_and_its_task_withdrawn(spoiled: Conn) -> None:
    label_issues.find(spoiled, "toy")
    tasks.queue_reviews(spoiled)
    relabel(spoiled, 1, 1 + 1 % 3)  # closed: another label is in its place
    spoiled.execute(  # a suspicion that the next run does not share
        "insert into core.label_issue (media_id, label_id, kind, score, run_id)"
        " select media_id, label_id, 'swapped', 0.9, 1 from smartdb.label where media_id = 2"
    )
    tasks.queue_reviews(spoiled)
    spoiled.commit()
    found = label_issues.find(spoiled, "toy")
    assert found["dropped"] == found["withdrawn"] == 2
    assert not suspects(spoiled) & {1, 2}
    states = spoiled.execute(
        "select media_id, state from core.task where media_id in (1, 2, 21) order by 1"
    ).fetchall()
    assert states == [(1, "skipped"), (2, "skipped"), (21, "open")]


def test_a_label_that_changes_meanwhile_is_not_suspected(
    database: str, spoiled: Conn, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = label_issues.out_of_fold

    def interrupted(*arguments: Any) -> Any:
        with connect(database) as other:
            relabel(other, 1, 1 + 1 % 3)
        assert spoiled.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        return compute(*arguments)

    monkeypatch.setattr(label_issues, "out_of_fold", interrupted)
    found = label_issues.find(spoiled, "toy", detector="prediction")
    assert found["changed"] == 1
    assert suspects(spoiled, None) & set(WRONG) == set(WRONG) - {1}


def test_a_class_with_few_labels_is_left_out_by_name(spoiled: Conn) -> None:
    spoiled.execute("insert into core.class (ontology_id, name, version_from) values (1, 'fig', 1)")
    for media_id in (401, 402, 403):
        relabel(spoiled, media_id, 4)
    found = label_issues.find(spoiled, "toy")
    assert found["left_out"] == ["fig"]
    assert found["examined"] == 400


def test_one_class_is_too_few(conn: Conn) -> None:
    conn.execute("update core.label set rev_to = 0 where class_id <> 1 and rev_to is null")
    with pytest.raises(NothingToDo, match=r"two classes with 5 or more .*, and there are 1;"):
        label_issues.find(conn, "toy")
    rows = conn.execute("select status from core.run where kind = 'label_issues'").fetchall()
    assert rows == [("failed",)]


def test_no_labels_no_vectors_and_no_encoder_each_say_what_to_do(conn: Conn, owner: Conn) -> None:
    with pytest.raises(NotFound, match="no encoder 'big'; there are: toy"):
        label_issues.find(conn, "big")
    with pytest.raises(NotFound, match="no ontology 'cars'; there is: 'things'"):
        label_issues.find(conn, "toy", ontology="cars")
    owner.execute("delete from core.embedding_1")
    owner.commit()
    with pytest.raises(NothingToDo, match="run: smartdb embed --encoder toy"):
        label_issues.find(conn, "toy")
    conn.execute("update core.label set rev_to = 0 where rev_to is null")
    conn.commit()
    with pytest.raises(NothingToDo, match="no labels yet"):
        label_issues.find(conn, "toy")


def test_labels_of_two_ontologies_are_not_mixed(spoiled: Conn) -> None:
    spoiled.execute("insert into core.ontology (name) values ('other')")
    spoiled.execute(
        "insert into core.ontology_version (ontology_id, version, message) values (2, 1, 'x')"
    )
    spoiled.execute(
        "insert into core.class (ontology_id, name, version_from) values (2, 'apple', 1)"
    )
    relabel(spoiled, 401, 4)
    spoiled.commit()
    with pytest.raises(InvalidInput, match="several ontologies; name one"):
        label_issues.find(spoiled, "toy")
    assert label_issues.find(spoiled, "toy", ontology="things")["examined"] == 400


def test_an_unknown_detector_is_refused(conn: Conn) -> None:
    with pytest.raises(InvalidInput, match="no detector 'luck'; say one of rank, prediction"):
        label_issues.find(conn, "toy", detector="luck")


def test_a_conflict_that_was_settled_is_dropped(conn: Conn) -> None:
    conn.execute(
        "insert into core.label (media_id, class_id, origin, actor_id) values (3, 2, 'import', 1)"
    )
    assert label_conflicts.find_conflicting(conn, 1) == 2
    assert label_conflicts.find_conflicting(conn, 1) == 0
    tasks.queue_reviews(conn)
    torn = conn.execute("select label_id from smartdb.label where media_id = 3 and class = 'pear'")
    reviews.review(conn, torn.fetchone()[0], "ana", "rejected")  # type: ignore[index]
    label_conflicts.find_conflicting(conn, 1)
    assert label_issues.issues(conn) == []
    assert tasks.queue(conn, "review") == []


def test_importing_the_module_loads_no_torch_nor_sklearn() -> None:
    import subprocess

    code = "import sys, smartdb.label_issues, smartdb.labels, smartdb.reviews; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "sklearn", "scipy", "open_clip"} & set(found.stdout.split())
