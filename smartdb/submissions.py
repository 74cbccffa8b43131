"""Submissions: answers to label tasks, of which none is lost.

An answer that is refused (a lease that has run out, a class that is unknown, a box outside of the
picture, ...) raises nothing, for an error would roll back what is to be kept: it is written with
the reason, and its author gets it back by `refused`. The caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from smartdb.errors import BY_SQLSTATE, InvalidInput, SmartdbError, translated
from smartdb.statements import statement

Labels = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Submission:
    """How an answer ended: accepted with its labels, or refused with the reason."""

    submission_id: int
    state: str
    label_ids: list[int] | None
    sqlstate: str | None
    reason: str | None

    @property
    def error(self) -> SmartdbError | None:
        """The error that says why it was refused, to be raised once it is committed."""
        if self.state == "accepted":
            return None
        kind = BY_SQLSTATE.get(self.sqlstate or "", InvalidInput)
        error = kind(f"{self.reason} (kept as submission {self.submission_id})")
        error.submission_id = self.submission_id
        return error


@dataclass(frozen=True)
class Refused:
    """An answer that was refused, as it was sent."""

    submission_id: int
    task_id: int | None
    media_id: int | None
    actor: str
    labels: list[dict[str, Any]] | None
    reason: str
    sqlstate: str
    key: str
    n_tries: int
    tried_at: datetime


def submit(
    conn: psycopg.Connection[Any],
    task_id: int,
    actor: str,
    labels: Labels,
    *,
    key: str | None = None,
    seconds: float | None = None,
) -> Submission:
    """Answers a label task that the actor holds with label objects: {"class": ..., "kind": ...}.

    The same ``key`` (without one, the same labels) sent again gives the same answer, and a refused
    one is tried again. ``seconds`` is what the person worked on it. InvalidInput only for an actor
    who is no person; all else is in the `Submission`.
    """
    values = {
        "task_id": task_id, "actor": actor, "labels": Jsonb(list(labels)), "key": key,
        "seconds": seconds,
    }  # fmt: skip
    with translated(), conn.cursor(row_factory=class_row(Submission)) as cursor:
        found = cursor.execute(statement("submissions", "submit"), values).fetchone()
    assert found is not None
    return found


def refused(
    conn: psycopg.Connection[Any],
    actor: str | None = None,
    *,
    before: int | None = None,
    limit: int | None = None,
) -> list[Refused]:
    """Answers (of an actor) that were refused and not accepted since, the newest first.

    The first ``limit`` of those older than submission ``before``.
    """
    values = {"actor": actor, "before": before, "limit": limit}
    with translated(), conn.cursor(row_factory=class_row(Refused)) as cursor:
        return cursor.execute(statement("submissions", "refused"), values).fetchall()
