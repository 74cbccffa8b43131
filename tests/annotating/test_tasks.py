"""Tasks: opened once, leased to one person at a time, answered by who holds the lease."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from smartdb import labels, ontology, reviews, tasks
from smartdb.database import connect
from smartdb.errors import (
    AccessDenied,
    InvalidInput,
    LeaseLost,
    NotFound,
    from_driver,
)

Conn = psycopg.Connection
AsRole = Callable[[str], Conn]


@pytest.fixture
def opened(conn: Conn) -> Conn:
    """Ten label tasks that wait, and the classes cat and dog."""
    ontology.create(conn, "pets", ["cat", "dog"])
    assert tasks.open_tasks(conn, "label") == {"opened": 10, "waiting": 10}
    conn.commit()
    return conn


def state(conn: Conn, task_id: int) -> tuple[object, ...]:
    query = (
        "select t.state, a.name, t.lease_until is null, t.done_at is null"
        " from core.task as t left join core.actor as a on a.actor_id = t.assignee_id"
        " where t.task_id = %s"
    )
    row = conn.execute(query, [task_id]).fetchone()
    assert row is not None
    return row


def test_opening_again_opens_nothing(opened: Conn) -> None:
    assert tasks.open_tasks(opened, "label") == {"opened": 0, "waiting": 10}


def test_tasks_of_a_source_are_its_own(conn: Conn) -> None:
    assert tasks.open_tasks(conn, "label", source="another")["opened"] == 0
    assert tasks.open_tasks(conn, "label", source="pets")["opened"] == 10


def test_a_task_ends_when_its_media_gets_a_class_otherwise(opened: Conn) -> None:
    first = tasks.queue(opened, "label")[0]
    labels.set_labels(opened, {first.media_id: "cat"}, actor="ben", ontology="pets")
    assert tasks.open_tasks(opened, "label") == {"opened": 0, "waiting": 9}
    assert state(opened, first.task_id)[0] == "skipped"


def test_labelled_media_and_skipped_ones_are_not_asked_again(opened: Conn) -> None:
    first, second = tasks.claim(opened, "ana", n=2)
    tasks.submit_label(opened, first.task_id, "ana", "cat")
    tasks.skip(opened, second.task_id, "ana")
    assert tasks.open_tasks(opened, "label") == {"opened": 0, "waiting": 8}
    assert state(opened, first.task_id) == ("done", "ana", True, False)
    assert state(opened, second.task_id) == ("skipped", "ana", True, False)
    assert {(k, s): n for k, s, n in tasks.counts(opened)} == {
        ("label", "done"): 1, ("label", "open"): 8, ("label", "skipped"): 1,
    }  # fmt: skip


def test_the_most_wanted_come_first(opened: Conn) -> None:
    opened.execute("update core.task set priority = task_id % 3")
    claimed = tasks.claim(opened, "ana", n=5)
    assert [t.priority for t in claimed] == [2, 2, 2, 1, 1]
    assert [t.task_id for t in claimed[:3]] == [2, 5, 8]
    assert [w.task_id for w in tasks.queue(opened, n=2)] == [7, 10]


def test_eight_claimers_never_get_the_same_task(database: str, owner: Conn) -> None:
    owner.execute(
        "insert into core.media (sha256, kind, mime, n_bytes, width, height, run_id)"
        " select sha256(i::text::bytea), 'image', 'image/png', 1, 1, 1, 1"
        " from generate_series(1, 400) as i"
    )
    tasks.open_tasks(owner, "label")
    owner.commit()

    def work(number: int) -> list[int]:
        got: list[int] = []
        with connect(database, role="smartdb_annotator", autocommit=True) as mine:
            while some := tasks.claim(mine, f"person {number % 3}", n=3):
                got += [task.task_id for task in some]
        return got

    with ThreadPoolExecutor(8) as pool:
        claimed = [task_id for got in pool.map(work, range(8)) for task_id in got]
    assert len(claimed) == len(set(claimed)) == 410
    assert owner.execute("select count(*) from core.actor").fetchone() == (3,)


def test_an_expired_lease_goes_to_another_and_the_first_is_refused(opened: Conn) -> None:
    (task,) = tasks.claim(opened, "ana", lease=timedelta(microseconds=1))
    assert tasks.claim(opened, "bo", n=10)[0].task_id == task.task_id
    with pytest.raises(LeaseLost, match="leased to bo, not leased to ana"):
        tasks.submit_label(opened, task.task_id, "ana", "cat")
    opened.rollback()


def test_an_answer_after_the_lease_is_refused_even_if_nobody_took_it(opened: Conn) -> None:
    (task,) = tasks.claim(opened, "ana", lease=timedelta(microseconds=1))
    with pytest.raises(LeaseLost, match="its lease has run out"):
        tasks.submit_label(opened, task.task_id, "ana", "cat")


def test_an_answered_task_is_not_answered_twice(opened: Conn) -> None:
    (task,) = tasks.claim(opened, "ana")
    tasks.submit_label(opened, task.task_id, "ana", "cat")
    with pytest.raises(LeaseLost, match="is done, not leased to ana"):
        tasks.submit_label(opened, task.task_id, "ana", "dog")


def test_unknown_tasks_and_classes_are_refused_and_change_nothing(opened: Conn) -> None:
    (task,) = tasks.claim(opened, "ana")
    opened.commit()
    with pytest.raises(NotFound, match="no class bird; see: select ontology, path"):
        tasks.submit_label(opened, task.task_id, "ana", "bird")
    opened.rollback()
    with pytest.raises(NotFound, match="no task 777"):
        tasks.submit_label(opened, 777, "ana", "cat")
    opened.rollback()
    assert state(opened, task.task_id)[0] == "claimed"
    assert opened.execute("select count(*) from core.label").fetchone() == (0,)


def test_the_ontology_decides_between_classes_of_one_name(opened: Conn) -> None:
    ontology.create(opened, "toys", ["cat"])
    (task,) = tasks.claim(opened, "ana")
    opened.commit()
    with pytest.raises(InvalidInput, match="class cat is in several ontologies"):
        tasks.submit_label(opened, task.task_id, "ana", "cat")
    opened.rollback()
    tasks.submit_label(opened, task.task_id, "ana", "cat", ontology="toys", confidence=0.5)
    row = opened.execute("select class_id, confidence, task_id from smartdb.label").fetchone()
    assert row == (3, 0.5, task.task_id)


def test_a_killed_claimer_keeps_no_task_that_it_did_not_commit(database: str, opened: Conn) -> None:
    code = (
        "import sys, time; from smartdb import database, tasks\n"
        "conn = database.connect(sys.argv[1])\n"
        "tasks.claim(conn, 'ana', n=10); print('claimed', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, database], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        assert tasks.claim(opened, "bo", n=10) == []
        process.kill()
    deadline = time.monotonic() + 20
    while not (got := tasks.claim(opened, "bo", n=10)) and time.monotonic() < deadline:
        opened.commit()
        time.sleep(0.05)
    assert len(got) == 10


@pytest.mark.parametrize(
    ("actor", "kind", "n", "lease", "message"),
    [
        ("", "label", 1, 60, "needs a name"),
        ("ana", "labl", 1, 60, "no kind of task labl"),
        ("ana", "label", -1, 60, "cannot claim -1 tasks"),
        ("ana", "label", 1, 0, "cannot claim 1 tasks for 00:00:00"),
        ("importer", "label", 1, 60, "actor importer is of kind import, not a person"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused(
    opened: Conn, actor: str, kind: tasks.Kind, n: int, lease: int, message: str
) -> None:
    opened.execute("insert into core.actor (name, kind) values ('importer', 'import')")
    with pytest.raises(InvalidInput, match=message):
        tasks.claim(opened, actor, kind, n, timedelta(seconds=lease))


def test_annotators_may_claim_and_label_but_not_review(opened: Conn, as_role: AsRole) -> None:
    annotator = as_role("smartdb_annotator")
    first, second = tasks.claim(annotator, "ana", n=2)
    label_id = tasks.submit_label(annotator, first.task_id, "ana", "cat")
    tasks.skip(annotator, second.task_id, "ana")
    annotator.commit()
    with pytest.raises(AccessDenied):
        reviews.review(annotator, label_id, "bo", "accepted")
    row = opened.execute("select actor, origin, class, review_state from smartdb.label").fetchone()
    assert row == ("ana", "human", "cat", "unreviewed")


@pytest.mark.parametrize(
    "call",
    ["claim_task('ana')", "skip_task(1, 'ana')", "submit_label(1, 'ana', 'cat')", "person_id('x')"],
)
def test_readers_may_not_work(opened: Conn, as_role: AsRole, call: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        as_role("smartdb_reader").execute(f"select smartdb.{call}".encode())
    assert isinstance(from_driver(caught.value), AccessDenied)


def test_a_batch_asks_to_label_what_has_no_class_and_to_review_the_rest(conn: Conn) -> None:
    labels.import_folder_labels(conn, "pets")
    row = conn.execute("select label_id from smartdb.label where media_id = 2").fetchone()
    assert row is not None
    reviews.review(conn, row[0], "ana", "accepted")
    conn.execute("insert into core.batch (strategy, seed, run_id) values ('random', 0, 1)")
    conn.execute(
        "insert into core.batch_item (batch_id, media_id, rank, score, reason)"
        " values (1, 9, 1, 1, 'x'), (1, 1, 2, 1, 'x'), (1, 2, 3, 1, 'x'), (1, 3, 4, 1, 'x')"
    )
    # 9 has an open label task already, which the batch takes over; 2 was reviewed
    assert tasks.batch_tasks(conn, 1) == {"label": 1, "review": 2}
    rows = conn.execute(
        "select kind, media_id, priority from core.task where batch_id = 1 order by 3 desc"
    ).fetchall()
    assert rows == [("label", 9, 1.0), ("review", 1, 0.75), ("review", 3, 0.25)]
    assert tasks.batch_tasks(conn, 1) == {"label": 0, "review": 0}
    with pytest.raises(NotFound, match="no batch 7"):
        tasks.batch_tasks(conn, 7)
