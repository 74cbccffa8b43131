"""Reviews: verdicts on labels and disputes about them, by people or a simulated reviewer.

The caller owns the transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import psycopg
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import Jsonb

from smartdb import tasks
from smartdb.errors import Conflict, translated
from smartdb.statements import statement

Verdict = Literal["accepted", "corrected", "rejected"]

SIMULATED = "simulated reviewer"
"""The reviewer who answers from a known truth, so called that nobody takes it for a person."""

_ALL = 1_000_000  # tasks: more than ever wait


@dataclass(frozen=True)
class Suspicion:
    """A suspected label that waits for a verdict; score from 0 to 1, larger is more suspicious.

    Where a label is missing (overlooked) there is no label_id, label nor actor. ``suggestion`` is
    a label object, without its class, of what the detector would say.
    """

    issue_id: int
    label_id: int | None
    media_id: int
    label: str | None
    suggested: str | None
    suggestion: dict[str, Any] | None
    kind: str
    score: float
    actor: str | None
    task_state: str | None
    uri: str


def submit(
    conn: psycopg.Connection[Any],
    task_id: int,
    reviewer: str,
    verdict: Verdict,
    class_name: str | None = None,
    reason: str | None = None,
    *,
    correction: Mapping[str, Any] | None = None,
) -> int:
    """Answers a review or adjudicate task that the reviewer holds, and returns the review_id.

    LeaseLost if it is not leased to the reviewer (any more); else as `review` or `adjudicate`.
    """
    values = _verdict(reviewer, verdict, class_name, reason, correction)
    return int(_rows(conn, "submit", {"task_id": task_id, **values})[0][0])


def review(
    conn: psycopg.Connection[Any],
    label_id: int,
    reviewer: str,
    verdict: Verdict,
    class_name: str | None = None,
    reason: str | None = None,
    *,
    correction: Mapping[str, Any] | None = None,
) -> int:
    """Judges a label and returns the review_id: accepted, corrected to a class, or rejected.

    ``correction`` is a label object of all that is to be another: class, geometry, attributes.
    Where another reviewer said otherwise the label is disputed. NotFound for an unknown label or
    class, Conflict if the label has changed meanwhile, IllegalVerdict where its review state allows
    no such verdict, InvalidInput for one's own label or a verdict that does not fit the correction.
    """
    values = _verdict(reviewer, verdict, class_name, reason, correction)
    return int(_rows(conn, "review", {"label_id": label_id, **values})[0][0])


def review_many(
    conn: psycopg.Connection[Any],
    label_ids: Sequence[int],
    reviewer: str,
    verdict: Literal["accepted", "rejected"],
    reason: str | None = None,
) -> int:
    """Accepts or rejects labels in one statement, all or none, and returns how many."""
    values = {"label_ids": list(label_ids), "actor": reviewer, "verdict": verdict, "reason": reason}
    return int(_rows(conn, "review_many", values)[0][0])


def dispute(conn: psycopg.Connection[Any], label_id: int, actor: str, reason: str) -> int:
    """Objects to the last verdict on a label, and returns the review_id; an adjudicator is asked.

    IllegalVerdict where there is no verdict to object to, or it is one's own or final.
    """
    values = {"label_id": label_id, "actor": actor, "reason": reason}
    return int(_rows(conn, "dispute", values)[0][0])


def adjudicate(
    conn: psycopg.Connection[Any],
    label_id: int,
    adjudicator: str,
    verdict: Verdict,
    class_name: str | None = None,
    reason: str | None = None,
    *,
    correction: Mapping[str, Any] | None = None,
) -> int:
    """Settles a dispute for good and returns the review_id.

    InvalidInput for who wrote or judged the label before, IllegalVerdict if it is not disputed.
    """
    values = _verdict(adjudicator, verdict, class_name, reason, correction)
    return int(_rows(conn, "adjudicate", {"label_id": label_id, **values})[0][0])


def withdraw(conn: psycopg.Connection[Any], review_id: int, reviewer: str) -> int | None:
    """Takes one's verdict back with what it did; the label_id that stands now.

    InvalidInput for another's verdict, IllegalVerdict if others judged since, or it is final.
    """
    values = {"review_id": review_id, "actor": reviewer}
    stands: int | None = _rows(conn, "withdraw", values)[0][0]
    return stands


def resolve(
    conn: psycopg.Connection[Any],
    issue_id: int,
    reviewer: str,
    verdict: Literal["confirmed", "dismissed"],
    reason: str | None = None,
    *,
    correction: Mapping[str, Any] | None = None,
) -> int | None:
    """Answers a suspicion; confirming writes what it suggests. The label_id written, if one was.

    NotFound for no such issue, Conflict for one decided before; else as `review`.
    """
    values = {"issue_id": issue_id, "actor": reviewer, "verdict": verdict, "reason": reason}
    values["correction"] = None if correction is None else Jsonb(dict(correction))
    written: int | None = _rows(conn, "resolve", values)[0][0]
    return written


def story(conn: psycopg.Connection[Any], object_id: int) -> list[dict[str, Any]]:
    """All that happened to a label, in order; see smartdb.label_story."""
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("reviews", "story"), {"object_id": object_id}).fetchall()


def disputed(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Labels about which people differ, the oldest dispute first; see smartdb.disputed."""
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("reviews", "disputed")).fetchall()


def queue(conn: psycopg.Connection[Any], n: int | None = None) -> list[Suspicion]:
    """The ``n`` (all) most suspicious labels that wait for a verdict."""
    return [Suspicion(*row) for row in _rows(conn, "queue", {"n": n})]


def answer_from_truth(
    conn: psycopg.Connection[Any],
    truth: Mapping[str, str] | Mapping[int, str],
    n: int,
    reviewer: str = SIMULATED,
    *,
    lease: timedelta = timedelta(hours=1),
) -> dict[str, int]:
    """Answers up to ``n`` review tasks from a known truth, as a stand-in for a person.

    ``truth`` maps URI or media_id to the true class. A right label is accepted, another corrected.
    Returns asked, wrong_found, right, unknown (waiting tasks of which the truth says nothing: left
    as they are) and changed (somebody else was faster). The caller owns the transaction.
    """
    claimed = tasks.claim(conn, reviewer, "review", _ALL, lease)
    rows = _rows(conn, "facts", {"label_ids": [task.label_id for task in claimed]})
    facts = {label_id: (given, uris) for label_id, given, uris in rows}
    tally = Counter(dict.fromkeys(("wrong_found", "right", "unknown", "changed"), 0))
    true = {t.task_id: _known(truth, t.media_id, facts[t.label_id][1]) for t in claimed}
    asked = [task for task in claimed if true[task.task_id] is not None][:n]
    left = sorted({task.task_id for task in claimed} - {task.task_id for task in asked})
    conn.execute(statement("reviews", "give_back"), {"task_ids": left})
    tally["unknown"] = sum(name is None for name in true.values())
    for task in asked:
        given = facts[task.label_id][0]
        tally[_answer(conn, task.task_id, reviewer, given, true[task.task_id])] += 1
    return {"asked": len(asked), **tally}


def _answer(
    conn: psycopg.Connection[Any], task_id: int, reviewer: str, given: str, true: str | None
) -> str:
    try:
        with conn.transaction():
            if true == given:
                submit(conn, task_id, reviewer, "accepted")
                return "right"
            submit(conn, task_id, reviewer, "corrected", true)
            return "wrong_found"
    except Conflict:
        return "changed"


def _verdict(
    actor: str,
    verdict: str,
    class_name: str | None,
    reason: str | None,
    correction: Mapping[str, Any] | None,
) -> dict[str, Any]:
    changes = None if correction is None else Jsonb(dict(correction))
    values = {"actor": actor, "verdict": verdict, "class": class_name, "reason": reason}
    return {**values, "correction": changes}


def _known(truth: Mapping[Any, str], media_id: int, uris: list[str]) -> str | None:
    """The true class of a media, by its id or the first of its places that the truth names."""
    return next((truth[key] for key in (media_id, *uris) if key in truth), None)


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("reviews", name), values).fetchall()
