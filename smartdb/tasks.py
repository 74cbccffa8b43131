"""Tasks: work for people, opened from what is missing or doubtful, and claimed by lease.

Opening is idempotent: what has a pending task gets no second one, and what a person skipped is not
asked again by itself. The caller owns the transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

import psycopg
from psycopg.rows import tuple_row

from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.statements import statement

Kind = Literal["label", "review", "adjudicate"]

LEASE = timedelta(minutes=10)


@dataclass(frozen=True)
class Task:
    """A claimed task: say what the media is, or (with a label_id) judge that label.

    ``prefill`` are the label objects one starts from, of the ``project`` that asks.
    """

    task_id: int
    media_id: int
    label_id: int | None
    priority: float
    lease_until: datetime
    project: str | None = None
    prefill: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class Waiting:
    """A task that waits, with the class to judge and who let a lease of it run out, if any."""

    task_id: int
    kind: str
    media_id: int
    uri: str
    label: str | None
    priority: float
    last_assignee: str | None


def open_tasks(
    conn: psycopg.Connection[Any],
    kind: Kind = "label",
    *,
    n: int | None = None,
    source: str | None = None,
) -> dict[str, int]:
    """Opens the tasks of a kind that are missing: how many were opened, and how many wait now.

    label: for each media (of a source) without a class; tasks of media that got one meanwhile are
    ended. review: for the ``n`` most suspicious
    labels (all), as `queue_reviews`.
    """
    if kind == "review":
        if source is not None:
            raise InvalidInput("reviews are queued by suspicion, not by source; leave source out")
        return queue_reviews(conn, n)
    if kind != "label" or n is not None:
        raise InvalidInput(
            f"cannot open {n or 'all'} tasks of kind {kind!r}; say label, or review with n"
        )
    with translated():
        conn.execute(statement("tasks", "close_labelled"))
        opened = conn.execute(statement("tasks", "open_label"), {"source": source}).rowcount
    return {"opened": opened, "waiting": _waiting(conn, "label", source)}


def queue_reviews(conn: psycopg.Connection[Any], n: int | None = None) -> dict[str, int]:
    """Sees that the ``n`` (all) most suspicious labels have a review task.

    The priority is the score of the label's most suspicious open issue. Returns how many tasks
    were opened, and how many reviews wait now.
    """
    if n is not None and n < 0:
        raise InvalidInput(f"cannot queue {n} reviews")
    opened = sum(is_new for (is_new,) in _rows(conn, "open_review", {"n": n}))
    return {"opened": opened, "waiting": _waiting(conn, "review")}


def batch_tasks(conn: psycopg.Connection[Any], batch_id: int) -> dict[str, int]:
    """Opens tasks for a batch, first chosen first, and returns how many: {"label": 3, "review": 2}.

    What has no class is to be labelled, what has one to be reviewed unless it was. Pending tasks
    are taken into the batch. NotFound for an unknown batch.
    """
    if not _rows(conn, "batch", {"batch_id": batch_id}):
        raise NotFound(f"no batch {batch_id}; see: smartdb.batch_item")
    kinds = Counter(kind for (kind,) in _rows(conn, "open_batch", {"batch_id": batch_id}))
    return {"label": kinds["label"], "review": kinds["review"]}


def withdraw(conn: psycopg.Connection[Any], label_ids: list[int]) -> int:
    """Ends open review tasks of labels that were closed, or are these, and have no open issue."""
    with translated():
        return conn.execute(statement("tasks", "withdraw"), {"label_ids": label_ids}).rowcount


def claim(
    conn: psycopg.Connection[Any],
    actor: str,
    kind: Kind = "label",
    n: int = 1,
    lease: timedelta = LEASE,
    *,
    project: str | None = None,
) -> list[Task]:
    """Leases the ``n`` most wanted tasks (of a project) to a person; fewer if there are no more.

    Nobody is given a review of their own label, or asked twice about a media in a project.
    InvalidInput for an actor who is no person and a closed project, NotFound for an unknown one.
    """
    values = {"actor": actor, "kind": kind, "n": n, "lease": lease, "project": project}
    return [Task(*row) for row in _rows(conn, "claim", values)]


def submit_label(
    conn: psycopg.Connection[Any],
    task_id: int,
    actor: str,
    class_name: str,
    *,
    confidence: float | None = None,
    ontology: str | None = None,
) -> int:
    """Answers a label task that the actor holds, and returns the label_id.

    NotFound for an unknown task or class, LeaseLost if the lease is not the actor's (any more),
    InvalidInput for a class of several ontologies where none is named.
    """
    values = {
        "task_id": task_id,
        "actor": actor,
        "class": class_name,
        "confidence": confidence,
        "ontology": ontology,
    }
    return int(_rows(conn, "submit_label", values)[0][0])


def renew(
    conn: psycopg.Connection[Any], task_id: int, actor: str, lease: timedelta = LEASE
) -> datetime:
    """Leases a task for so long from now to who holds it, and returns until when.

    Also where the lease has run out, while nobody else has claimed it; else LeaseLost.
    """
    values = {"task_id": task_id, "actor": actor, "lease": lease}
    return cast(datetime, _rows(conn, "renew", values)[0][0])


def skip(
    conn: psycopg.Connection[Any], task_id: int, actor: str, reason: str | None = None
) -> None:
    """Ends a task that the actor holds without an answer; it is not opened again by itself."""
    _rows(conn, "skip", {"task_id": task_id, "actor": actor, "reason": reason})


def give_back(
    conn: psycopg.Connection[Any], task_id: int, actor: str, reason: str | None = None
) -> None:
    """Puts a task that the actor holds back into the queue, for somebody else."""
    _rows(conn, "return", {"task_id": task_id, "actor": actor, "reason": reason})


def reassign(
    conn: psycopg.Connection[Any], task_id: int, actor: str, lease: timedelta = timedelta(days=1)
) -> datetime:
    """Leases a task that has not ended to a person, whoever holds it; returns until when.

    For reviewers and writers. InvalidInput for a task that has ended, or a person who was asked
    about the media before.
    """
    values = {"task_id": task_id, "actor": actor, "lease": lease}
    return cast(datetime, _rows(conn, "reassign", values)[0][0])


def queue(
    conn: psycopg.Connection[Any], kind: Kind | None = None, n: int | None = None
) -> list[Waiting]:
    """The ``n`` (all) most wanted tasks that wait."""
    return [Waiting(*row) for row in _rows(conn, "queue", {"kind": kind, "n": n})]


def counts(conn: psycopg.Connection[Any]) -> list[tuple[str, str, int]]:
    """(kind, state, number) of all tasks."""
    return [(kind, state, n) for kind, state, n in _rows(conn, "counts", {})]


def _waiting(conn: psycopg.Connection[Any], kind: str, source: str | None = None) -> int:
    return int(_rows(conn, "waiting", {"kind": kind, "source": source})[0][0])


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("tasks", name), values or None).fetchall()
