"""Reviews: one verdict for each state of a label, history kept, nobody judges themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from smartdb import labels, reviews, tasks
from smartdb.database import connect
from smartdb.errors import Conflict, InvalidInput, LeaseLost, NotFound

Conn = psycopg.Connection
AsRole = Callable[[str], Conn]


@pytest.fixture
def pets(conn: Conn) -> Conn:
    """The labels of the folders: 1 to 4 cat, 5 to 8 dog, 8 also cat; 1, 2 and 5 suspected."""
    labels.import_folder_labels(conn, "pets", ontology="pets")
    conn.execute(
        "insert into core.label_issue (media_id, label_id, kind, score, suggested_class_id, run_id)"
        " select media_id, label_id, 'swapped', 1 - media_id / 10.0, 3 - class_id, 1"
        " from smartdb.label where media_id in (1, 2, 5)"
    )
    conn.commit()
    return conn


def label_of(conn: Conn, media_id: int) -> int:
    row = conn.execute(
        "select label_id from smartdb.media_class where media_id = %s", [media_id]
    ).fetchone()
    assert row is not None
    return row[0]


def now(conn: Conn, media_id: int) -> list[tuple[str, str, str]]:
    """The live labels of a media: (class, actor, review state)."""
    query = (
        "select class, actor, review_state from smartdb.label where media_id = %s order by label_id"
    )
    return conn.execute(query, [media_id]).fetchall()


def issue_state(conn: Conn, label_id: int) -> str:
    row = conn.execute(
        "select state from smartdb.label_issue where label_id = %s", [label_id]
    ).fetchone()
    assert row is not None
    return row[0]


def test_the_queue_has_the_most_suspicious_first(pets: Conn) -> None:
    found = [(s.media_id, s.label, s.suggested, s.kind) for s in reviews.queue(pets, 2)]
    assert found == [(1, "cat", "dog", "swapped"), (2, "cat", "dog", "swapped")]
    scores = [s.score for s in reviews.queue(pets)]
    assert scores == pytest.approx([0.9, 0.8, 0.5, 0.5, 0.5])


def test_queued_reviews_follow_the_scores_and_are_queued_once(pets: Conn) -> None:
    assert tasks.queue_reviews(pets, 2) == {"opened": 2, "waiting": 2}
    assert tasks.queue_reviews(pets, 2) == {"opened": 0, "waiting": 2}
    waiting = tasks.queue(pets, "review")
    assert [(w.media_id, w.label) for w in waiting] == [(1, "cat"), (2, "cat")]
    assert waiting[0].priority == pytest.approx(0.9)
    pets.execute("update core.label_issue set score = 0.1 where score > 0.85")
    assert tasks.queue_reviews(pets) == {"opened": 3, "waiting": 5}
    assert [w.media_id for w in tasks.queue(pets, "review")][-1] == 1


def test_an_accepted_label_stays_and_its_suspicion_is_dismissed(pets: Conn) -> None:
    label = label_of(pets, 1)
    reviews.review(pets, label, "ana", "accepted")
    assert now(pets, 1) == [("cat", labels.FOLDERS, "accepted")]
    assert issue_state(pets, label) == "dismissed"


def test_a_correction_keeps_the_object_and_the_history(pets: Conn) -> None:
    label = label_of(pets, 1)
    tasks.queue_reviews(pets)
    review_id = reviews.review(pets, label, "ana", "corrected", "dog", "floppy ears")
    assert now(pets, 1) == [("dog", "ana", "corrected")]
    history = pets.execute(
        "select class, origin, object_id = min(object_id) over (), rev_to is null"
        " from smartdb.label_history where media_id = 1 order by rev_from"
    ).fetchall()
    assert history == [("cat", "import", True, False), ("dog", "human", True, True)]
    assert issue_state(pets, label) == "confirmed"
    row = pets.execute(
        "select reviewer, class, corrected_class, reason from smartdb.review where review_id = %s",
        [review_id],
    ).fetchone()
    assert row == ("ana", "cat", "dog", "floppy ears")
    done = pets.execute(
        "select t.state, a.name from core.task as t join core.actor as a"
        " on a.actor_id = t.assignee_id where t.label_id = %s",
        [label],
    ).fetchall()
    assert done == [("done", "ana")]


def test_a_rejected_label_disappears_and_its_media_is_to_be_labelled(pets: Conn) -> None:
    label = label_of(pets, 1)
    reviews.review(pets, label, "ana", "rejected")
    assert now(pets, 1) == []
    assert issue_state(pets, label) == "confirmed"
    assert 1 in [w.media_id for w in tasks.queue(pets, "label")]


def test_a_rejected_label_of_a_media_with_another_makes_no_task(pets: Conn) -> None:
    reviews.review(pets, label_of(pets, 8), "ana", "rejected")
    assert len(now(pets, 8)) == 1
    assert 8 not in [w.media_id for w in tasks.queue(pets, "label")]


def test_correcting_both_sides_of_a_conflict_to_a_third_class_gives_one_label(pets: Conn) -> None:
    pets.execute("insert into core.class (ontology_id, name, version_from) values (1, 'fox', 1)")
    for _ in range(2):
        torn = pets.execute(
            "select label_id from smartdb.label where media_id = 8 and class <> 'fox'"
        ).fetchone()
        assert torn is not None
        reviews.review(pets, torn[0], "ana", "corrected", "fox")
    assert now(pets, 8) == [("fox", "ana", "corrected")]


def test_nobody_reviews_their_own_label_or_is_asked_to(pets: Conn) -> None:
    labels.set_labels(pets, {9: "cat"}, actor="ana", ontology="pets")
    mine = label_of(pets, 9)
    pets.execute(
        "insert into core.task (kind, media_id, label_id, priority) values ('review', 9, %s, 9)",
        [mine],
    )
    pets.commit()
    assert tasks.claim(pets, "ana", "review") == []
    with pytest.raises(InvalidInput, match="the reviewer's own; ask another reviewer"):
        reviews.review(pets, mine, "ana", "accepted")
    pets.rollback()
    (task,) = tasks.claim(pets, "bo", "review")
    reviews.submit(pets, task.task_id, "bo", "accepted")
    assert now(pets, 9) == [("cat", "ana", "accepted")]


def test_who_changes_their_mind_replaces_their_verdict(pets: Conn) -> None:
    label = label_of(pets, 1)
    reviews.review(pets, label, "ana", "accepted")
    reviews.review(pets, label, "ana", "corrected", "dog")
    verdicts = pets.execute(
        "select verdict, rev_to is null from core.review order by review_id"
    ).fetchall()
    assert verdicts == [("accepted", False), ("corrected", True)]
    assert issue_state(pets, label) == "confirmed"


def test_of_two_reviewers_at_once_the_second_is_told(database: str, pets: Conn) -> None:
    label = label_of(pets, 1)
    pets.commit()
    told: list[BaseException] = []

    def second() -> None:
        with connect(database, role="smartdb_reviewer") as mine:
            try:
                reviews.review(mine, label, "bo", "corrected", "dog")
            except Conflict as error:
                told.append(error)

    with connect(database, role="smartdb_reviewer") as first:
        reviews.review(first, label, "ana", "corrected", "dog")
        other = threading.Thread(target=second)
        other.start()
        other.join(0.5)
        assert other.is_alive()  # it waits for the first
    other.join(20)
    assert "has changed meanwhile" in str(told[0])
    assert now(pets, 1) == [("dog", "ana", "corrected")]


@pytest.mark.parametrize(
    ("verdict", "name", "error", "message"),
    [
        ("fine", None, InvalidInput, "verdict fine with class none"),
        (None, None, InvalidInput, "verdict null with class none"),
        ("accepted", "dog", InvalidInput, "verdict accepted with class dog"),
        ("corrected", None, InvalidInput, "verdict corrected with class none"),
        ("corrected", "cat", InvalidInput, "says cat already"),
        ("corrected", "bird", NotFound, "no class bird in ontology pets"),
    ],
)
def test_a_verdict_that_makes_no_sense_changes_nothing(
    pets: Conn, verdict: reviews.Verdict, name: str | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        reviews.review(pets, label_of(pets, 1), "ana", verdict, name)
    pets.rollback()
    assert now(pets, 1) == [("cat", labels.FOLDERS, "unreviewed")]
    assert pets.execute("select count(*) from core.review").fetchone() == (0,)


def test_an_unknown_label_is_refused(pets: Conn) -> None:
    with pytest.raises(NotFound, match="no label 777"):
        reviews.review(pets, 777, "ana", "accepted")


def test_reviewers_claim_and_judge_through_tasks(pets: Conn, as_role: AsRole) -> None:
    tasks.queue_reviews(pets, 1)
    pets.commit()
    reviewer = as_role("smartdb_reviewer")
    (task,) = tasks.claim(reviewer, "ana", "review")
    with pytest.raises(InvalidInput, match=f"task {task.task_id} is a review task"):
        tasks.submit_label(reviewer, task.task_id, "ana", "cat")
    reviewer.rollback()
    (task,) = tasks.claim(reviewer, "ana", "review")
    reviews.submit(reviewer, task.task_id, "ana", "corrected", "dog")
    reviewer.commit()
    assert now(pets, 1) == [("dog", "ana", "corrected")]
    assert tasks.queue(pets, "review") == []


def test_reviewers_may_reject_and_send_back(pets: Conn, as_role: AsRole) -> None:
    reviewer = as_role("smartdb_reviewer")
    reviews.review(reviewer, label_of(pets, 1), "ana", "rejected")
    reviewer.commit()
    assert 1 in [w.media_id for w in tasks.queue(pets, "label")]


def test_a_review_after_the_lease_is_refused(pets: Conn) -> None:
    tasks.queue_reviews(pets, 1)
    (task,) = tasks.claim(pets, "ana", "review", lease=timedelta(microseconds=1))
    with pytest.raises(LeaseLost):
        reviews.submit(pets, task.task_id, "ana", "accepted")


def test_the_simulated_reviewer_answers_from_the_truth(pets: Conn) -> None:
    tasks.queue_reviews(pets)
    truth = {"file:///pets/train/cat/1.png": "dog", "file:///pets/train/cat/2.png": "cat"}
    assert reviews.answer_from_truth(pets, truth, 2) == {
        "asked": 2, "wrong_found": 1, "right": 1, "unknown": 3, "changed": 0,
    }  # fmt: skip
    assert now(pets, 1) == [("dog", reviews.SIMULATED, "corrected")]
    assert now(pets, 2) == [("cat", labels.FOLDERS, "accepted")]
    rest = reviews.answer_from_truth(pets, {8: "dog"}, 10)
    assert (rest["asked"], rest["wrong_found"], rest["right"], rest["unknown"]) == (2, 1, 1, 1)
    assert len(tasks.queue(pets, "review")) == 1
    assert tasks.queue_reviews(pets)["opened"] == 0
    assert reviews.answer_from_truth(pets, truth, 10)["asked"] == 0
