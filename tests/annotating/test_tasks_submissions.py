"""Submissions: answered once whatever is sent twice, and nothing that was sent is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from smartdb import ontology, projects, queues, submissions, tasks
from smartdb.database import connect
from smartdb.errors import AccessDenied, InvalidInput, LeaseLost, NotFound
from smartdb.queues import Ask
from smartdb.submissions import submit

Conn = psycopg.Connection
AsRole = Callable[[str], Conn]

CAT: list[dict[str, Any]] = [{"class": "cat"}]
BOX: list[dict[str, Any]] = [{"class": "cat", "kind": "box", "x": 1, "y": 1, "w": 5, "h": 4}]


@pytest.fixture
def held(conn: Conn) -> Conn:
    """Ana holds task 1 of a project that asks for classes, task 4 of one that asks for boxes."""
    ontology.create(conn, "pets", ["cat", "dog"])
    projects.create(conn, "classes", "pets")
    projects.create(conn, "boxes", "pets", kinds=["box"])
    queues.ask(conn, "classes", [Ask(i) for i in (1, 2, 3)])
    queues.ask(conn, "boxes", [Ask(i) for i in (1, 2, 3)])
    assert [t.task_id for t in tasks.claim(conn, "ana", project="classes")] == [1]
    assert [t.task_id for t in tasks.claim(conn, "ana", project="boxes")] == [4]
    conn.commit()
    return conn


def rows(conn: Conn, query: str) -> list[tuple[Any, ...]]:
    return conn.execute(query.encode()).fetchall()


def test_an_answer_writes_labels_of_its_task_and_the_time_it_took(held: Conn) -> None:
    first = submit(held, 1, "ana", CAT, seconds=1e9)
    second = submit(held, 4, "ana", [*BOX, {**BOX[0], "class": "dog", "x": 9}], seconds=1e-9)
    assert (first.state, second.state, first.error) == ("accepted", "accepted", None)
    assert first.label_ids is not None
    assert second.label_ids is not None
    assert rows(
        held, "select label_id, class, kind, task_id, actor from smartdb.label order by 1"
    ) == [
        (first.label_ids[0], "cat", "classification", 1, "ana"),
        (second.label_ids[0], "cat", "box", 4, "ana"),
        (second.label_ids[1], "dog", "box", 4, "ana"),
    ]
    # no longer than from claim to answer
    found = rows(
        held, "select task_id, seconds < 600 from smartdb.task where state = 'done' order by 1"
    )
    assert found == [(1, True), (4, True)]


def test_the_same_sent_again_gets_the_same_answer_and_another_does_not(held: Conn) -> None:
    first = submit(held, 1, "ana", CAT, key="k")
    assert submit(held, 1, "ana", CAT, key="k") == first
    assert submit(held, 1, "ana", [{"class": "dog"}], key="k") == first
    other = submit(held, 1, "ana", CAT, key="another")
    assert (other.state, other.sqlstate) == ("refused", "SD004")
    nothing = submit(held, 4, "ana", [])  # nothing is in the picture
    assert (nothing.state, nothing.label_ids) == ("accepted", [])
    assert submit(held, 4, "ana", []) == nothing
    assert rows(held, "select count(*) from core.label") == [(1,)]


def test_the_same_sent_at_the_same_time_is_answered_once(database: str, held: Conn) -> None:
    def send(_: int) -> submissions.Submission:
        with connect(database, role="smartdb_annotator", autocommit=True) as mine:
            return submit(mine, 1, "ana", CAT, key="k")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert {a.submission_id for a in answers} == {answers[0].submission_id}
    assert {a.state for a in answers} == {"accepted"}
    assert rows(held, "select count(*) from core.label") == [(1,)]


REFUSED: list[tuple[int, str, list[dict[str, Any]], type[Exception], str]] = [
    (1, "ana", [{"class": "cow"}], NotFound, "no class cow"),
    (1, "ana", BOX, InvalidInput, "does not ask for labels of kind box"),
    (1, "ana", [], InvalidInput, "the answer to task 1 is empty"),
    (4, "ana", [{**BOX[0], "w": -5}], InvalidInput, ""),
    (4, "ana", [BOX[0], {**BOX[0], "x": "nan"}], InvalidInput, ""),
    (1, "bo", CAT, LeaseLost, "leased to ana, not leased to bo"),
    (2, "ana", CAT, LeaseLost, "task 2 is open"),
    (777, "ana", CAT, NotFound, "no task 777"),
]


def test_what_is_refused_is_kept_as_it_was_sent(held: Conn) -> None:
    for task, actor, labels, error, message in REFUSED:
        answer = submit(held, task, actor, labels)
        held.commit()
        assert isinstance(answer.error, error), answer
        assert message in str(answer.error)
        kept = submissions.refused(held, actor)[0]
        assert (kept.submission_id, kept.labels) == (answer.submission_id, labels)
        assert kept.task_id == (None if task == 777 else task)
    assert len(submissions.refused(held)) == len(REFUSED)
    assert rows(held, "select count(*) from core.label") == [(0,)]


def test_after_the_lease_an_answer_is_kept_and_accepted_once_it_is_taken_back(held: Conn) -> None:
    held.execute("set local role smartdb_owner")
    held.execute("update core.task set lease_until = clock_timestamp() where task_id = 1")
    held.execute("set local role smartdb_writer")
    late = submit(held, 1, "ana", CAT)
    assert late.reason is not None
    assert "its lease has run out" in late.reason
    assert "renew_task(1, 'ana')" in late.reason
    tasks.renew(held, 1, "ana")
    again = submit(held, 1, "ana", CAT)
    assert (again.state, again.submission_id) == ("accepted", late.submission_id)
    assert submissions.refused(held, "ana") == []
    assert rows(held, "select n_tries, labels, reason from smartdb.submission") == [(2, None, None)]


def test_a_client_that_is_gone_loses_nothing_its_task_goes_to_another(held: Conn) -> None:
    held.execute("set local role smartdb_owner")
    held.execute("update core.task set lease_until = clock_timestamp() where task_id = 1")
    held.execute("set local role smartdb_writer")
    (taken,) = tasks.claim(held, "bo", project="classes", lease=timedelta(hours=1))
    assert taken.task_id == 1
    assert submit(held, 1, "bo", [{"class": "dog"}]).state == "accepted"
    late = submit(held, 1, "ana", CAT)
    assert (late.state, submissions.refused(held, "ana")[0].labels) == ("refused", CAT)


def test_of_a_hidden_media_the_answer_is_kept_and_of_an_erased_one_only_the_refusal(
    held: Conn, owner: Conn, as_role: AsRole
) -> None:
    owner.execute("insert into core.restriction (media_id, reason) values (1, 'face')")
    owner.commit()
    annotator = as_role("smartdb_annotator")
    hidden = submit(annotator, 1, "ana", CAT)
    annotator.commit()
    assert (hidden.state, hidden.sqlstate) == ("refused", "SD001")
    assert submissions.refused(annotator, "ana") == []  # while it is hidden
    assert rows(owner, "select labels from core.submission") == [(CAT,)]
    owner.execute("delete from core.restriction")
    assert owner.execute(
        "select core.begin_erasure('asked', 'media 1', '0', '{1}')"
    ).fetchone() == (1,)
    assert owner.execute("select core.erase_rows(1)").fetchone() == (1,)
    owner.commit()
    assert rows(owner, "select count(*) from core.submission") == [(0,)]
    erased = submit(annotator, 4, "ana", BOX)
    annotator.commit()
    assert erased.reason == "the media of task 4 was erased; what was said of it is not kept"
    assert rows(owner, "select task_id, media_id, labels from core.submission") == [(4, None, None)]


def test_annotators_may_submit_and_see_what_was_refused_readers_may_not_submit(
    held: Conn, as_role: AsRole
) -> None:
    annotator, reader = as_role("smartdb_annotator"), as_role("smartdb_reader")
    assert submit(annotator, 1, "ana", CAT).state == "accepted"
    assert submit(annotator, 2, "ana", CAT).state == "refused"
    annotator.commit()
    seen = "select task_id from smartdb.submission order by 1"
    assert (rows(annotator, seen), rows(reader, seen)) == ([(2,)], [(1,), (2,)])
    with pytest.raises(AccessDenied):
        submit(reader, 4, "ana", BOX)
    with pytest.raises(InvalidInput, match="needs a name"):
        submit(annotator, 4, "", BOX)
