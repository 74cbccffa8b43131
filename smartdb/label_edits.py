"""Labels as people write, change and remove them: all kinds, each with its geometry.

A label object is a mapping {"class", "kind" (default classification), "x", "y", "w", "h", "shape",
"attributes", "confidence", "track_id", "subject_id", "target_id"}; the database judges it. An
annotator changes their own labels and what no person said; a reviewer or a pipeline any. What was
said before stays in the history, with whose it was. The caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.statements import statement

LabelObject = Mapping[str, Any]


@dataclass(frozen=True)
class State:
    """A state of a label: ``label`` is the label object, with its ids, actor and created_at.

    True from revision ``rev_from`` until ``rev_to`` (None: still). ``closed_by`` and ``reason``
    tell who ended it and why, and ``changed`` what differs after (class, box, ..., or removed);
    None and empty where no edit did, but a review, an import or a roll back.
    """

    label: dict[str, Any]
    rev_from: int
    rev_to: int | None
    closed_by: str | None
    reason: str | None
    closed_at: datetime | None
    changed: list[str]


@dataclass(frozen=True)
class BrokenRelation:
    """A relation of which an end was removed: the class of that end is None."""

    label_id: int
    media_id: int
    subject_id: int
    subject: str | None
    relation: str
    target_id: int
    target: str | None
    actor: str


def add(
    conn: psycopg.Connection[Any],
    media_id: int,
    actor: str,
    labels: Sequence[LabelObject],
    *,
    ontology: str | None = None,
    task_id: int | None = None,
) -> list[int]:
    """Writes what a person says of a media, all or nothing; the label_ids in the order given.

    A class that the person has said of the media already is not said twice. NotFound for a media
    that is unknown, hidden or erased, and for an unknown class; InvalidInput names the label that
    cannot be by its place in the list, from 0; LeaseLost if the task is not leased to the actor.
    """
    values = {"media_id": media_id, "actor": actor, "labels": _json([dict(o) for o in labels])}
    found = _rows(conn, "add", {**values, "ontology": ontology, "task_id": task_id})
    return [label_id for (label_id,) in found]


def edit(
    conn: psycopg.Connection[Any],
    label_id: int,
    actor: str,
    changes: LabelObject,
    reason: str | None = None,
) -> int:
    """Changes a live label and returns the label_id of its new state; None takes a key away.

    StaleEdit, with the versions of both, if it was changed or removed since; NotYours if it is
    another person's and the role is an annotator's; NotFound, InvalidInput as `add`.
    """
    values = {"label_id": label_id, "actor": actor, "changes": _json(dict(changes))}
    return int(_rows(conn, "edit", {**values, "reason": reason})[0][0])


def remove(
    conn: psycopg.Connection[Any], label_id: int, actor: str, reason: str | None = None
) -> None:
    """Closes a live label, and nothing takes its place. Errors as `edit`."""
    _rows(conn, "remove", {"label_id": label_id, "actor": actor, "reason": reason})


def labels_of(conn: psycopg.Connection[Any], media_id: int) -> list[dict[str, Any]]:
    """The label objects that are said of a media now, with ids and actor; NotFound without it."""
    _rows(conn, "require_media", {"media_id": media_id})
    return [label for (label,) in _rows(conn, "labels", {"media_id": media_id})]


def history(conn: psycopg.Connection[Any], label_id: int) -> list[State]:
    """Every state of the thing that a label row is of, oldest first. NotFound for no such row."""
    found = [State(*row) for row in _rows(conn, "history", {"label_id": label_id})]
    if not found:
        raise NotFound(f"no label {label_id}; see: smartdb.label_history")
    return found


def broken_relations(conn: psycopg.Connection[Any]) -> list[BrokenRelation]:
    """The relations of which an end was removed; each waits to be removed or given a new end."""
    return [BrokenRelation(*row) for row in _rows(conn, "broken_relations", {})]


def _json(value: Any) -> Jsonb:
    import json

    try:
        return Jsonb(json.loads(json.dumps(value, allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"a label object is plain JSON: {error}") from error


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("label_edits", name), values).fetchall()
