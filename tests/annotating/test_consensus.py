"""The consensus is written once, follows new judgements, and yields to a reviewer's verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from smartdb import annotators, consensus, labels, ontology, reviews

Conn = psycopg.Connection[Any]


@pytest.fixture
def judged(conn: Conn) -> Conn:
    """Ana, bo and cy judge 1 to 4 (cat cat dog | dog dog dog | cat dog | cat)."""
    ontology.ensure(conn, "pets", ["cat", "dog"], "")
    says = {
        "ana": {1: "cat", 2: "dog", 3: "cat", 4: "cat"},
        "bo": {1: "cat", 2: "dog", 3: "dog"},
        "cy": {1: "dog", 2: "dog"},
    }
    for actor, said in says.items():
        labels.set_labels(conn, said, actor=actor, ontology="pets")
    conn.commit()
    return conn


def shown(conn: Conn) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select media_id, class, round(confidence::numeric, 2)::float8, n_judgements, n_agreeing,"
        " method from smartdb.consensus order by media_id"
    ).fetchall()


def class_of(conn: Conn, media_id: int) -> tuple[str, str]:
    row = conn.execute(
        "select class, actor from smartdb.media_class where media_id = %s", [media_id]
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def label_of(conn: Conn, media_id: int, actor: str) -> int:
    row = conn.execute(
        "select label_id from smartdb.label where media_id = %s and actor = %s", [media_id, actor]
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_the_majority_is_written_as_labels_of_its_own_and_a_rerun_does_nothing(
    judged: Conn,
) -> None:
    first = consensus.run_consensus(judged, method="majority")
    assert (first["judged"], first["answered"], first["added"], first["tied"]) == (4, 2, 2, 1)
    assert shown(judged) == [(1, "cat", 0.67, 3, 2, "majority"), (2, "dog", 1.0, 3, 3, "majority")]
    assert class_of(judged, 1) == ("cat", "consensus: majority")
    again = consensus.run_consensus(judged, method="majority")
    assert (again["is_new"], again["run_id"], again["added"]) == (False, first["run_id"], 0)
    row = judged.execute("select count(*) from core.run where kind = 'consensus'").fetchone()
    assert row == (1,)


def test_new_judgements_change_only_the_rows_whose_answer_changed(judged: Conn) -> None:
    consensus.run_consensus(judged, method="majority")
    kept = label_of(judged, 2, "consensus: majority")
    labels.set_labels(judged, {1: "dog", 3: "dog"}, actor="di", ontology="pets")
    labels.set_labels(judged, {1: "dog"}, actor="bo", ontology="pets")
    judged.commit()
    found = consensus.run_consensus(judged, method="majority")
    assert (found["added"], found["closed"]) == (2, 1)
    assert label_of(judged, 2, "consensus: majority") == kept
    assert [row[:2] for row in shown(judged)] == [(1, "dog"), (2, "dog"), (3, "dog")]
    objects = judged.execute(
        "select count(distinct object_id), count(*) from smartdb.label_history"
        " where media_id = 1 and origin = 'consensus'"
    ).fetchone()
    assert objects == (1, 2)


def test_another_method_replaces_the_one_before(judged: Conn) -> None:
    consensus.run_consensus(judged, method="majority")
    found = consensus.run_consensus(judged, method="dawid-skene")
    assert found["closed"] == 2
    assert {row[5] for row in shown(judged)} == {"dawid-skene"}


def test_a_correction_after_the_consensus_stays_in_force(judged: Conn) -> None:
    consensus.run_consensus(judged, method="majority")
    reviews.review(judged, label_of(judged, 1, "ana"), "rev", "corrected", "dog")
    judged.commit()
    assert class_of(judged, 1) == ("dog", "rev")
    found = consensus.run_consensus(judged, method="majority")
    assert found["settled"] == 1
    assert class_of(judged, 1)[0] == "dog"
    assert consensus.run_consensus(judged, method="majority")["is_new"] is False
    said = judged.execute(
        "select actor, class, is_live from smartdb.judgement where media_id = 1 order by actor"
    ).fetchall()
    assert said == [("ana", "cat", False), ("bo", "cat", True), ("cy", "dog", True)]


def test_a_consensus_that_a_reviewer_corrected_or_rejected_does_not_come_back(judged: Conn) -> None:
    consensus.run_consensus(judged, method="majority")
    reviews.review(judged, label_of(judged, 1, "consensus: majority"), "rev", "corrected", "dog")
    reviews.review(judged, label_of(judged, 2, "consensus: majority"), "rev", "rejected")
    judged.commit()
    consensus.run_consensus(judged, method="majority")
    assert class_of(judged, 1)[0] == "dog"
    assert [row[0] for row in shown(judged)] == [1]


def test_an_accepted_minority_becomes_the_consensus_and_its_row_stays(judged: Conn) -> None:
    consensus.run_consensus(judged, method="majority")
    reviews.review(judged, label_of(judged, 1, "cy"), "rev", "accepted")
    reviews.review(judged, label_of(judged, 2, "consensus: majority"), "rev", "accepted")
    judged.commit()
    kept = label_of(judged, 2, "consensus: majority")
    consensus.run_consensus(judged, method="majority")
    assert class_of(judged, 1)[0] == "dog"
    assert label_of(judged, 2, "consensus: majority") == kept


def test_of_one_annotator_there_is_no_consensus(conn: Conn) -> None:
    assert consensus.run_consensus(conn)["answered"] == 0
    labels.import_folder_labels(conn, "pets", ontology="pets")
    assert consensus.run_consensus(conn)["answered"] == 0


def test_readers_see_no_consensus_of_hidden_media(
    judged: Conn, as_role: Callable[[str], Conn]
) -> None:
    consensus.run_consensus(judged, method="majority")
    judged.execute("insert into core.restriction (media_id, reason) values (1, 'consent')")
    judged.commit()
    reader = as_role("smartdb_reader")
    for view in ("consensus", "judgement", "vote"):
        seen = reader.execute(f"select count(*) from smartdb.{view} where media_id = 1").fetchone()
        assert seen == (0,)
    both = reader.execute(
        "select n from smartdb.agreement where actor_a = 'ana' and actor_b = 'cy'"
    ).fetchone()
    assert both == (1,)


def test_gold_measures_annotators_and_has_no_vote(
    judged: Conn, as_role: Callable[[str], Conn]
) -> None:
    labels.set_labels(judged, {1: "dog", 2: "dog"}, actor="expert", ontology="pets")
    judged.execute(
        "insert into core.gold (label_id, actor_id) select label_id, actor_id from smartdb.label"
        " where actor = 'expert'"
    )
    judged.commit()
    scores = consensus.compare(judged, methods=["majority"])
    assert [(s.n_gold, s.n_right, s.accuracy) for s in scores] == [(2, 1, 0.5)]
    consensus.run_consensus(judged, method="majority")
    found = {
        q.actor: (q.n_gold, q.gold_accuracy, q.n_consensus) for q in annotators.quality(judged)
    }
    assert found["ana"] == (2, 0.5, 2)
    assert found["cy"] == (2, 1.0, 2)
    seen = (
        as_role("smartdb_annotator")
        .execute("select n_gold from smartdb.annotator_quality where actor = 'ana'")
        .fetchone()
    )
    assert seen == (0,)
