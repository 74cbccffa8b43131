"""Slices: named parts of the media, a saved predicate or a saved set.

`smartdb.predicates.combined` makes one the condition that any function takes. None of these
functions commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from smartdb import predicates
from smartdb.errors import NotFound, translated
from smartdb.predicates import TIMEOUT_S
from smartdb.statements import statement

IN_BATCH = "m.media_id in (select i.media_id from smartdb.batch_item as i where i.batch_id = {})"


@dataclass(frozen=True)
class Slice:
    """A slice; ``kind`` is predicate (what fulfils it when asked) or set (stays the same)."""

    name: str
    kind: str
    predicate: str | None
    note: str | None
    created_at: datetime


def save(
    conn: psycopg.Connection[Any],
    name: str,
    predicate: str,
    *,
    note: str | None = None,
    replace: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> int:
    """Saves a predicate as a slice and returns how many media fulfil it now.

    Conflict for a name that is taken, unless ``replace`` and it is a predicate; InvalidInput for
    a predicate that does not work, takes too long or leads back to the slice.
    """
    values = {"name": name, "predicate": predicate, "note": note, "replace": replace}
    return predicates.write(conn, "slices", "save", values, timeout_s)


def save_set(
    conn: psycopg.Connection[Any],
    name: str,
    predicate: str,
    *,
    note: str | None = None,
    timeout_s: float = TIMEOUT_S,
) -> int:
    """Saves the media that fulfil a predicate now as a set and returns how many; errors as `save`.

    The set stays the same while data change; `include` and `exclude` change it.
    """
    return predicates.write(
        conn, "slices", "save_set", {"name": name, "predicate": predicate, "note": note}, timeout_s
    )


def include(
    conn: psycopg.Connection[Any], name: str, predicate: str, *, timeout_s: float = TIMEOUT_S
) -> int:
    """Puts what fulfils a predicate into a set and returns how many were not in it.

    NotFound for an unknown slice, InvalidInput for one that is a predicate.
    """
    return predicates.write(
        conn, "slices", "include", {"name": name, "predicate": predicate}, timeout_s
    )


def exclude(
    conn: psycopg.Connection[Any], name: str, predicate: str, *, timeout_s: float = TIMEOUT_S
) -> int:
    """Takes what fulfils a predicate out of a set and returns how many were in it."""
    return predicates.write(
        conn, "slices", "exclude", {"name": name, "predicate": predicate}, timeout_s
    )


def drop(conn: psycopg.Connection[Any], name: str) -> None:
    """Forgets a slice; its media stay. NotFound if there is none."""
    with translated():
        conn.execute(statement("slices", "drop"), {"name": name})


def find(conn: psycopg.Connection[Any], name: str) -> Slice:
    """The slice of this name; NotFound if there is none."""
    for found in slices(conn):
        if found.name == name:
            return found
    raise NotFound(f"no slice {name!r}; see: smartdb slice list")


def slices(conn: psycopg.Connection[Any]) -> list[Slice]:
    """All slices by name."""
    with translated(), conn.cursor(row_factory=class_row(Slice)) as cursor:
        return cursor.execute(statement("slices", "slices")).fetchall()


def items(
    conn: psycopg.Connection[Any], name: str, limit: int, *, timeout_s: float = TIMEOUT_S
) -> list[tuple[int, str | None]]:
    """Media and uri of the first of a slice by id."""
    with predicates.bounded(conn, name, timeout_s), conn.cursor(row_factory=tuple_row) as cursor:
        values = {"name": name, "limit": limit}
        return cursor.execute(statement("slices", "items"), values).fetchall()


def count(conn: psycopg.Connection[Any], name: str, *, timeout_s: float = TIMEOUT_S) -> int:
    """How many media are in a slice now; NotFound if there is none of that name."""
    return predicates.count(conn, predicates.combined(conn, None, name), timeout_s=timeout_s)
