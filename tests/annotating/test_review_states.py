"""The review states: what may follow what, whoever writes it and how, and who may say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from smartdb import labels, server
from smartdb.database import connect
from smartdb.errors import IllegalVerdict, translated

Conn = psycopg.Connection[Any]

VERDICTS = ("accepted", "corrected", "rejected", "disputed")


@pytest.fixture(scope="module")
def world(server_home: Any, pets_template: str) -> str:
    """A database that each test leaves as it was: the labels of the folders by an importer, 1 to 4
    cat, 5 to 8 dog; 9 cat and 10 dog by ana."""
    name = "smartdb_review_states"
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {}")
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(pets_template)))
    url = server.url(server_home, name)
    with connect(url, role="smartdb_writer") as conn:
        labels.import_folder_labels(conn, "pets", ontology="pets")
        labels.set_labels(conn, {9: "cat", 10: "dog"}, actor="ana", ontology="pets")
        conn.execute(
            "insert into core.actor (name, kind) values ('bo', 'person'), ('cy', 'person')"
        )
    return url


@pytest.fixture
def pets(world: str) -> Iterator[Conn]:
    """A connection to the world, as smartdb_writer; nothing is committed."""
    with psycopg.connect(world) as conn:
        yield act(conn, "smartdb_writer")
        conn.rollback()


def act(conn: Conn, role: str) -> Conn:
    """Acts as a role for the rest of the test."""
    conn.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
    return conn


def ask(conn: Conn, query: str, *values: Any) -> Any:
    """The first value of a query."""
    row = conn.execute(query.encode(), values).fetchone()
    return row and row[0]


def label_of(conn: Conn, media_id: int) -> int:
    return int(ask(conn, "select max(label_id) from core.label where media_id = %s", media_id))


def judge(conn: Conn, label: int, who: str, verdict: str, name: str | None = None) -> int:
    query = "select smartdb.review_label(%s, %s, %s, %s)"
    return int(ask(conn, query, label, who, verdict, name))


def settle(conn: Conn, label: int, who: str, verdict: str, name: str | None = None) -> int:
    return int(ask(conn, "select smartdb.adjudicate(%s, %s, %s, %s)", label, who, verdict, name))


def state(conn: Conn, media_id: int) -> list[tuple[str, str, str]]:
    query = "select class, actor, review_state from smartdb.label where media_id = %s"
    return conn.execute(query, [media_id]).fetchall()


def refused(conn: Conn, code: str, query: str, *values: Any) -> str:
    """Sees that a statement is refused with a SQLSTATE, and returns what it says."""
    with pytest.raises(psycopg.Error) as caught, conn.transaction():
        conn.execute(query.encode(), values)
    assert caught.value.sqlstate == code, str(caught.value)
    return str(caught.value)


def bring(conn: Conn, label: int, wanted: str) -> None:
    """Brings an importer's label to a state, by bo and ana."""
    if wanted != "unreviewed":
        first = {"corrected": "corrected", "rejected": "rejected"}.get(wanted, "accepted")
        judge(conn, label, "bo", first, "dog" if first == "corrected" else None)
    if wanted in ("disputed", "adjudicated"):
        judge(conn, label, "ana", "rejected")
    if wanted == "adjudicated":
        settle(conn, label, "cy", "accepted")


def test_a_plain_insert_is_held_to_the_table_of_transitions(pets: Conn) -> None:
    legal = {
        (row[0], row[1]): row[2]
        for row in pets.execute("select state, verdict, next_state from smartdb.review_transition")
    }
    assert len(legal) == 15
    who = ask(pets, "select smartdb.person_id('dee')")
    insert = "insert into core.review (label_id, reviewer_id, verdict) values (%s, %s, %s)"
    conn = act(pets, "smartdb_reviewer")
    for before in ("unreviewed", "accepted", "corrected", "rejected", "disputed", "adjudicated"):
        with conn.transaction(force_rollback=True):
            bring(conn, label_of(conn, 1), before)
            label = label_of(conn, 1)
            for verdict in VERDICTS:
                after = legal.get((before, verdict))
                if after is None:
                    said = refused(conn, "SD007", insert, label, who, verdict)
                    assert f"is {before}: it cannot be {verdict} now" in said
                elif verdict == "corrected" and after != "disputed":
                    refused(conn, "SD002", insert, label, who, verdict)
                else:
                    with conn.transaction(force_rollback=True):
                        conn.execute(insert.encode(), [label, who, verdict])
                        found = ask(conn, "select (core.last_verdict(%s)).state", label)
                        assert found == after, (before, verdict)


@pytest.mark.parametrize("role", ["smartdb_reviewer", "smartdb_writer", "smartdb_owner"])
def test_what_is_final_is_so_for_every_role(pets: Conn, role: str) -> None:
    bring(pets, label_of(pets, 1), "adjudicated")
    conn = act(pets, role)
    insert = "insert into core.review (label_id, reviewer_id, verdict) values (%s, 1, %s)"
    for verdict in VERDICTS:
        refused(conn, "SD007", insert, label_of(conn, 1), verdict)
    refused(conn, "SD007", "update core.review set rev_to = 0 where state = 'adjudicated'")


def test_what_is_said_by_plain_insert_is_done(pets: Conn) -> None:
    reviewer, label = act(pets, "smartdb_reviewer"), label_of(pets, 1)
    reviewer.execute(
        "insert into core.review (label_id, reviewer_id, verdict, state, state_before)"
        " select %s, actor_id, 'rejected', 'adjudicated', 'accepted'"
        " from smartdb.actor where name = 'bo'",
        [label],
    )
    assert state(reviewer, 1) == []
    assert ask(reviewer, "select (core.last_verdict(%s)).state", label) == "rejected"
    query = "select count(*) from smartdb.task_queue where kind = 'label' and media_id = 1"
    assert ask(reviewer, query) == 1


@pytest.mark.parametrize("role", ["smartdb_reviewer", "smartdb_writer", "smartdb_owner"])
def test_nobody_judges_a_label_they_wrote_any_row_of(pets: Conn, role: str) -> None:
    conn = act(pets, role)
    insert = (
        "insert into core.review (label_id, reviewer_id, verdict)"
        " select %s, actor_id, 'accepted' from smartdb.actor where name = %s"
    )
    mine = label_of(conn, 9)
    assert "the reviewer's own" in refused(conn, "SD002", insert, mine, "ana")
    refused(conn, "SD002", "select smartdb.review_label(%s, 'ana', 'rejected')", mine)
    refused(conn, "SD002", "select smartdb.review_labels(%s, 'ana', 'accepted')", [mine])
    judge(conn, mine, "bo", "corrected", "dog")
    correction = label_of(conn, 9)
    for who in ("ana", "bo"):  # who wrote what was corrected, and who corrected it
        refused(conn, "SD002", insert, correction, who)
    judge(conn, correction, "cy", "accepted")
    assert state(conn, 9) == [("dog", "bo", "accepted")]


def test_two_reviewers_who_differ_make_a_dispute_that_a_third_settles(pets: Conn) -> None:
    label = label_of(pets, 1)
    judge(pets, label, "ana", "accepted")
    judge(pets, label, "bo", "corrected", "dog")
    assert state(pets, 1) == [("cat", labels.FOLDERS, "disputed")]
    row = pets.execute(
        "select label_id, disputed_by, verdict, correction, task_state from smartdb.disputed"
    ).fetchone()
    assert row == (label, "bo", "corrected", {"class": "dog"}, "open")
    refused(pets, "SD007", "select smartdb.review_label(%s, 'cy', 'accepted')", label)
    for who in ("ana", "bo"):
        said = refused(pets, "SD002", "select smartdb.adjudicate(%s, %s, 'accepted')", label, who)
        assert "has written or judged it before" in said
    settle(pets, label, "cy", "corrected", "dog")
    assert state(pets, 1) == [("dog", "cy", "adjudicated")]
    assert ask(pets, "select state from core.task where kind = 'adjudicate'") == "done"
    new = label_of(pets, 1)
    for query in (
        "select smartdb.review_label(%s, 'dee', 'rejected')",
        "select smartdb.dispute(%s, 'ana', 'no')",
        "select smartdb.adjudicate(%s, 'dee', 'rejected')",
    ):
        refused(pets, "SD007", query, new)
    last = ask(pets, "select max(review_id) from core.review")
    refused(pets, "SD007", "select smartdb.withdraw_review(%s, 'cy')", last)
    refused(pets, "SD007", "update core.review set rev_to = 0 where review_id = %s", last)


def test_an_author_disputes_a_rejection_and_gets_the_label_back(pets: Conn) -> None:
    label = label_of(pets, 9)
    judge(pets, label, "bo", "rejected")
    author = act(pets, "smartdb_annotator")
    refused(author, "SD002", "select smartdb.dispute(%s, 'ana', ' ')", label)
    author.execute("select smartdb.dispute(%s, 'ana', 'it is a cat')", [label])
    act(pets, "smartdb_reviewer")
    refused(pets, "SD002", "select smartdb.adjudicate(%s, 'ana', 'accepted')", label)
    settle(pets, label, "cy", "accepted")
    assert state(pets, 9) == [("cat", "ana", "adjudicated")]
    query = "select count(distinct object_id) from core.label where media_id = 9"
    assert ask(pets, query) == 1


def test_what_an_edit_makes_of_an_adjudicated_label_is_unreviewed(pets: Conn) -> None:
    bring(pets, label_of(pets, 1), "adjudicated")
    with pets.transaction():
        pets.execute("update core.label set rev_to = 0 where media_id = 1 and rev_to is null")
        pets.execute(
            "insert into core.label (object_id, media_id, class_id, origin, actor_id)"
            " select object_id, media_id, class_id, 'human', 2 from core.label where media_id = 1"
        )
    assert [row[2] for row in state(pets, 1)] == ["unreviewed"]


def test_an_annotator_may_dispute_but_not_judge(pets: Conn) -> None:
    label = label_of(pets, 1)
    judge(pets, label, "bo", "accepted")
    annotator = act(pets, "smartdb_annotator")
    insert = "insert into core.review (label_id, reviewer_id, verdict) values (%s, 2, %s)"
    for verdict in ("accepted", "rejected", "corrected"):
        refused(annotator, "42501", insert, label, verdict)
    refused(annotator, "42501", "select smartdb.review_label(%s, 'cy', 'accepted')", label)
    refused(annotator, "42501", "update core.review set verdict = 'rejected'")
    annotator.execute(insert.encode(), [label, "disputed"])
    assert [row[2] for row in state(annotator, 1)] == ["disputed"]


def test_who_gave_the_last_verdict_takes_it_back_with_what_it_did(pets: Conn) -> None:
    label = label_of(pets, 1)
    pets.execute(
        "insert into core.label_issue (media_id, label_id, kind, score, run_id)"
        " values (1, %s, 'swapped', 0.9, 1)",
        [label],
    )
    for verdict, name in (("rejected", None), ("corrected", "dog"), ("accepted", None)):
        given = judge(pets, label_of(pets, 1), "bo", verdict, name)
        refused(pets, "SD002", "select smartdb.withdraw_review(%s, 'cy')", given)
        assert ask(pets, "select count(*) from smartdb.review_queue where media_id = 1") == 0
        stands = ask(pets, "select smartdb.withdraw_review(%s, 'bo')", given)
        assert stands == label_of(pets, 1)
        assert state(pets, 1) == [("cat", labels.FOLDERS, "unreviewed")]
        row = pets.execute("select label_id from smartdb.review_queue where media_id = 1")
        assert row.fetchall() == [(stands,)]
        refused(pets, "SD003", "select smartdb.withdraw_review(%s, 'bo')", given)


def test_a_verdict_that_others_built_on_stays(pets: Conn) -> None:
    label = label_of(pets, 1)
    first = judge(pets, label, "ana", "corrected", "dog")
    judge(pets, label_of(pets, 1), "bo", "accepted")
    refused(pets, "SD007", "select smartdb.withdraw_review(%s, 'ana')", first)
    agreed = judge(pets, label_of(pets, 2), "ana", "accepted")
    objection = judge(pets, label_of(pets, 2), "bo", "rejected")
    refused(pets, "SD007", "select smartdb.withdraw_review(%s, 'ana')", agreed)
    pets.execute("select smartdb.withdraw_review(%s, 'bo')", [objection])
    assert state(pets, 2) == [("cat", labels.FOLDERS, "accepted")]
    assert ask(pets, "select count(*) from smartdb.task_queue where kind = 'adjudicate'") == 0


def test_a_correction_takes_a_label_object_and_keeps_what_it_does_not_say(pets: Conn) -> None:
    pets.execute(
        "insert into core.label"
        " (media_id, class_id, kind, x, y, w, h, attributes, origin, actor_id)"
        " select 1, class_id, 'box', 1, 2, 3, 4, '{\"age\": 2}', 'human', 2"
        " from core.class where name = 'cat'"
    )
    label = label_of(pets, 1)
    query = "select smartdb.review_label(%s, 'bo', 'corrected', correction => %s)"
    for wrong in ("{}", "[]", '{"x": "left"}', '{"height": 3}', '{"x": 1}', '{"w": -1}'):
        refused(pets, "SD002", query, label, wrong)
    pets.execute(query.encode(), [label, '{"class": "dog", "w": 5.5, "attributes": null}'])
    row = pets.execute(
        "select class, kind, x, y, w, h, attributes, actor, review_state from smartdb.label"
        " where kind = 'box'"
    ).fetchone()
    assert row == ("dog", "box", 1, 2, 5.5, 4, None, "bo", "corrected")
    judge(pets, label_of(pets, 1), "cy", "rejected")
    pets.execute(
        "select smartdb.adjudicate(%s, 'dee', 'corrected', correction => smartdb.label_object(%s))",
        [label_of(pets, 1), label],
    )
    assert ask(pets, "select attributes from smartdb.label where kind = 'box'") == {"age": 2}
    assert ask(pets, "select w from smartdb.label where kind = 'box'") == 3


def test_many_labels_are_judged_in_one_statement_or_none(pets: Conn) -> None:
    ids = [label_of(pets, media_id) for media_id in (1, 2, 3, 5)]
    query = "select smartdb.review_labels(%s, 'bo', %s)"
    assert ask(pets, query, [*ids[:2], ids[0]], "accepted") == 2
    refused(pets, "SD007", query, ids, "accepted")
    assert ask(pets, query, ids[2:], "rejected") == 2
    assert [state(pets, m) for m in (3, 5)] == [[], []]
    refused(pets, "SD002", query, ids, "corrected")
    refused(pets, "SD001", query, [999], "accepted")
    assert ask(pets, query, [], "accepted") == 0


def test_a_reader_of_no_hidden_media_sees_no_verdict_on_them(pets: Conn) -> None:
    label = label_of(pets, 1)
    judge(pets, label, "ana", "accepted")
    judge(pets, label, "bo", "rejected")
    pets.execute("select smartdb.add_comment('bo', 'a face', label => %s)", [label])
    act(pets, "smartdb_reader")
    views = ("disputed", "comment", "review")
    assert [ask(pets, f"select count(*) from smartdb.{v}") for v in views] == [1, 1, 2]
    act(pets, "smartdb_owner").execute("insert into core.restriction values (1, 'consent')")
    act(pets, "smartdb_reader")
    assert [ask(pets, f"select count(*) from smartdb.{v}") for v in views] == [0, 0, 0]
    act(pets, "smartdb_reviewer")
    tables = ("review", "comment")
    assert [ask(pets, f"select count(*) from core.{t}") for t in tables] == [0, 0]
    for query in (
        "select smartdb.review_label(%s, 'cy', 'accepted')",
        "select smartdb.adjudicate(%s, 'cy', 'accepted')",
        "select smartdb.dispute(%s, 'cy', 'no')",
        "select smartdb.add_comment('cy', 'no', label => %s)",
    ):
        refused(pets, "SD001", query, label)


def test_an_error_has_a_class_of_its_own(pets: Conn) -> None:
    with pytest.raises(IllegalVerdict, match="is unreviewed, not disputed"), translated():
        settle(pets, label_of(pets, 1), "cy", "accepted")


def test_a_claim_gives_nobody_what_they_may_not_judge(pets: Conn) -> None:
    judge(pets, label_of(pets, 9), "bo", "corrected", "dog")
    judge(pets, label_of(pets, 1), "ana", "accepted")
    judge(pets, label_of(pets, 1), "bo", "rejected")
    pets.execute(
        "insert into core.task (kind, media_id, label_id) values ('review', 9, %s)",
        [label_of(pets, 9)],
    )
    query = "select count(*) from smartdb.claim_task(%s, %s)"
    for who, n in (("ana", 0), ("bo", 0), ("cy", 1)):
        assert [ask(pets, query, who, kind) for kind in ("review", "adjudicate")] == [n, n], who
