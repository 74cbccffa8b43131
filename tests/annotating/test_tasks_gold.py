"""Gold: what is known to be true is asked among the rest, unseen, and answers are measured."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from smartdb import gold, labels, ontology, projects, queues, tasks
from smartdb.errors import NotFound
from smartdb.queues import Ask
from smartdb.submissions import submit

Conn = psycopg.Connection
AsRole = Callable[[str], Conn]


@pytest.fixture
def marked(conn: Conn) -> Conn:
    """Media 1 to 4 are cats, and known to be; half of the tasks of a project ask that."""
    ontology.create(conn, "pets", ["cat", "dog"])
    labels.set_labels(conn, dict.fromkeys((1, 2, 3, 4), "cat"), actor="zoe", ontology="pets")
    found = conn.execute("select label_id from smartdb.label order by 1").fetchall()
    assert gold.mark(conn, [label_id for (label_id,) in found], "zoe", "seen by three") == 4
    assert gold.mark(conn, [found[0][0]], "zoe") == 0
    projects.create(conn, "pets", "pets", gold_share=0.5)
    conn.commit()
    return conn


def test_marks_are_of_live_labels_and_can_be_withdrawn(marked: Conn) -> None:
    with pytest.raises(NotFound, match="no live label 777"):
        gold.mark(marked, [1, 777], "zoe")
    assert gold.withdraw(marked, [1]) == 1
    assert gold.withdraw(marked, [1]) == 0
    assert marked.execute("select count(*) from smartdb.gold").fetchone() == (3,)


def test_gold_is_asked_in_its_share_and_nothing_shown_tells_it(
    marked: Conn, as_role: AsRole
) -> None:
    counts = queues.ask(marked, "pets", [Ask(i, i / 10) for i in (5, 6, 7, 8)])
    assert (counts["media"], counts["gold"]) == (4, 4)
    marked.commit()
    annotator = as_role("smartdb_annotator")
    for hidden in ("gold", "gold_score", "gold_summary"):
        assert annotator.execute(f"select * from smartdb.{hidden}".encode()).fetchall() == []
    assert annotator.execute("select gold_share from smartdb.project").fetchall() == [(None,)]
    shown = annotator.execute(
        "select media_id <= 4, kind, project, label_id, state, batch_id, prefill, reason,"
        " seconds, assignee, created_at,"
        " priority between 0.4 and 0.8 from smartdb.task"
    ).fetchall()
    assert len({row[1:] for row in shown}) == 1
    queue = annotator.execute(
        "select distinct kind, label_id, batch_id, created_at, state, last_assignee, project"
        " from smartdb.task_queue"
    ).fetchall()
    assert len(queue) == 1
    claimed = tasks.claim(annotator, "ana", n=20, project="pets")
    assert {task.media_id for task in claimed} == {1, 2, 3, 4, 5, 6, 7, 8}


def test_with_prefills_gold_comes_with_one_or_not_at_all(marked: Conn) -> None:
    cat = [{"class": "cat", "confidence": 0.8}]
    asks = [Ask(5, 0.5, cat), Ask(6, 0.4, cat), Ask(2, 0.9, cat)]
    assert queues.ask(marked, "pets", asks) == {"media": 2, "tasks": 3, "gold": 1}
    rows = marked.execute("select media_id, prefill from smartdb.task order by 1").fetchall()
    assert rows == [(2, cat), (5, cat), (6, cat)]
    assert tasks.claim(marked, "ana")[0].prefill == cat


def test_nobody_is_asked_gold_that_all_have_answered(marked: Conn) -> None:
    queues.ask(marked, "pets", [Ask(5), Ask(6), Ask(7), Ask(8)])
    for task in tasks.claim(marked, "ana", n=8):
        submit(marked, task.task_id, "ana", [{"class": "cat"}])
    assert queues.ask(marked, "pets", [Ask(9)])["gold"] == 0
    assert [t.media_id for t in tasks.claim(marked, "bo", n=8)] == [9]
    assert queues.ask(marked, "pets", [Ask(10)])["gold"] == 1  # for bo


def test_answers_are_scored_against_gold_and_kept(marked: Conn) -> None:
    queues.ask(marked, "pets", [Ask(5), Ask(6), Ask(7), Ask(8)])
    said = {1: [{"class": "cat"}], 2: [{"class": "dog"}], 3: [{"class": "cat"}, {"class": "dog"}]}
    for task in tasks.claim(marked, "ana", n=8):
        if task.media_id in said or task.media_id > 4:
            submit(marked, task.task_id, "ana", said.get(task.media_id, [{"class": "dog"}]))
    assert gold.score(marked) == {"scored": 3, "right": 1}
    assert gold.score(marked) == {"scored": 0, "right": 0}
    rows = marked.execute("select media_id, score from smartdb.gold_score order by 1").fetchall()
    assert rows == [(1, 1.0), (2, 0.0), (3, pytest.approx(2 / 3))]
    (row,) = gold.summary(marked, "pets")
    assert (row["actor"], row["n"], row["n_right"]) == ("ana", 3, 1)
    # what was taken for true changes, the score stays
    marked.execute("update core.label set rev_to = 0 where label_id = 1")
    assert len(marked.execute("select from smartdb.gold_score").fetchall()) == 3


def test_who_says_what_is_true_is_not_measured_and_boxes_match_by_overlap(
    marked: Conn,
) -> None:
    projects.create(marked, "boxes", "pets", kinds=["box"], gold_share=0.5)
    box = {"class": "dog", "kind": "box", "x": 2, "y": 2, "w": 10, "h": 10}
    (label_id,) = marked.execute(
        "select smartdb.add_labels(9, 'zoe', %s::jsonb)", [psycopg.types.json.Jsonb([box])]
    ).fetchone() or (0,)
    gold.mark(marked, [label_id], "zoe")
    queues.ask(marked, "boxes", [Ask(10)])
    (again,) = [t for t in tasks.claim(marked, "zoe", n=5, project="boxes") if t.media_id == 9]
    submit(marked, again.task_id, "zoe", [box])
    assert gold.score(marked)["scored"] == 0
    queues.ask(marked, "boxes", [Ask(8)])
    mine = [t for t in tasks.claim(marked, "ana", n=9, project="boxes") if t.media_id == 9]
    if not mine:  # the share of one task is a chance
        marked.execute(
            "insert into core.task (kind, media_id, project_id) select 'label', 9, project_id"
            " from core.project where name = 'boxes'"
        )
        mine = tasks.claim(marked, "ana", n=9, project="boxes")
    near, far = {**box, "x": 3}, {**box, "x": 20, "w": 5}
    submit(marked, mine[0].task_id, "ana", [near, far, {**near, "class": "cat"}])
    assert gold.score(marked)["scored"] == 1
    row = marked.execute(
        "select n_gold, n_given, n_matched, score from smartdb.gold_score"
    ).fetchone()
    assert row == (1, 3, 1, 0.5)


def test_gold_and_its_scores_go_with_the_media_and_are_hidden_with_it(
    marked: Conn, owner: Conn, as_role: AsRole
) -> None:
    queues.ask(marked, "pets", [Ask(5), Ask(6), Ask(7), Ask(8)])
    for task in tasks.claim(marked, "ana", n=8):
        submit(marked, task.task_id, "ana", [{"class": "cat"}])
    gold.score(marked)
    marked.commit()
    owner.execute("insert into core.restriction (media_id, reason) values (1, 'face')")
    owner.commit()
    reader = as_role("smartdb_reader")
    for view in ("gold", "gold_score", "submission", "task"):
        query = f"select count(*) from smartdb.{view} where media_id = 1"
        assert reader.execute(query.encode()).fetchone() == (0,), view
    owner.execute("select core.begin_erasure('asked', 'media 1', '0', '{1}')")
    owner.execute("select core.erase_rows(1)")
    owner.commit()
    left = owner.execute(
        "select (select count(*) from core.gold_score where media_id = 1),"
        " (select count(*) from core.submission where media_id = 1),"
        " (select count(*) from core.gold where reason is not null),"
        " (select count(*) from core.gold where rev_to is null)"
    ).fetchone()
    assert left == (0, 0, 3, 3)
