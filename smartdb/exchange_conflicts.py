"""Conflicts of exchanges: what was changed here and in a label editor, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg

from smartdb.exchange_items import rows


@dataclass(frozen=True)
class Conflict:
    """A thing in three states, as label objects: agreed last, here now, in the editor.

    None: removed, or not there.
    """

    conflict_id: int
    exchange_id: int
    media_id: int
    object_id: int
    base: dict[str, Any]
    ours: dict[str, Any] | None
    theirs: dict[str, Any] | None
    ours_actor: str | None
    theirs_actor: str
    said_at: datetime | None
    state: str


@dataclass(frozen=True)
class Refusal:
    """An annotation that could not be taken in, with what it said."""

    refusal_id: int
    exchange_id: int | None
    media_id: int | None
    place: str
    reason: str
    detail: str
    content: Any


def conflicts(
    conn: psycopg.Connection[Any],
    *,
    exchange_id: int | None = None,
    state: str | None = "open",
    n: int | None = None,
) -> list[Conflict]:
    """Conflicts in a state (None: all), the oldest first."""
    values = {"exchange_id": exchange_id, "state": state, "n": n}
    return [Conflict(*row) for row in rows(conn, "conflicts", values)]


def resolve(
    conn: psycopg.Connection[Any],
    conflict_id: int,
    choice: Literal["ours", "theirs"],
    actor: str,
    reason: str | None = None,
) -> int | None:
    """Decides a conflict, and returns the label_id that is live then (None: none is).

    theirs becomes the state as the word of who said it in the editor. NotFound for no such
    conflict, Conflict for one that was decided. The caller owns the transaction.
    """
    values = {"conflict_id": conflict_id, "choice": choice, "actor": actor, "reason": reason}
    ((label_id,),) = rows(conn, "resolve", values)
    return None if label_id is None else int(label_id)


def refusals(
    conn: psycopg.Connection[Any], *, exchange_id: int | None = None, n: int | None = None
) -> list[Refusal]:
    """What could not be taken in, the oldest first."""
    return [Refusal(*row) for row in rows(conn, "refusals", {"exchange_id": exchange_id, "n": n})]


def exchanges(conn: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """Each exchange: editor, project, media, answered, open conflicts, refusals, when."""
    return rows(conn, "exchanges")
