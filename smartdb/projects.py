"""Projects: what annotators are asked, in which kinds of label, and how many about each media.

The caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row, dict_row

from smartdb import predicates
from smartdb.errors import InvalidInput, NotFound, translated
from smartdb.statements import statement

FillBy = Literal["age", "uncertainty", "diversity"]

CHANGEABLE = (
    "instructions", "overlap", "gold_share", "predicate", "fill_by", "depth", "per_day",
)  # fmt: skip


@dataclass(frozen=True)
class Project:
    """What is asked; the words of `create`, and when it was made and closed."""

    project_id: int
    project: str
    ontology: str
    instructions: str
    kinds: list[str]
    overlap: int
    gold_share: float | None
    predicate: str
    fill_by: str
    depth: int
    per_day: float
    created_at: datetime
    closed_at: datetime | None


def create(
    conn: psycopg.Connection[Any],
    name: str,
    ontology: str,
    *,
    instructions: str = "",
    kinds: Sequence[str] = ("classification",),
    overlap: int = 1,
    gold_share: float = 0.0,
    predicate: str = "true",
    fill_by: FillBy = "age",
    depth: int = 0,
    per_day: float = 0.0,
) -> int:
    """Makes a project and returns its id.

    ``overlap`` people are asked about each media, nobody twice. ``gold_share`` of the tasks (0 to
    0.5) ask what is known to be true. `queues.fill` keeps ``depth`` media waiting, of those that
    fulfil ``predicate``, the oldest, least certain or least alike first (``fill_by``); a day of
    waiting adds ``per_day`` to a priority, which lies between 0 and 1 without it. NotFound for
    an unknown ontology, Conflict for a name that is taken, InvalidInput for what makes no sense.
    """
    predicates.checked(conn, predicate)
    values = {
        "name": name, "ontology": ontology, "instructions": instructions, "kinds": list(kinds),
        "overlap": overlap, "gold_share": gold_share, "predicate": predicate, "fill_by": fill_by,
        "depth": depth, "per_day": per_day,
    }  # fmt: skip
    rows = _rows(conn, "create", values)
    if not rows:
        raise NotFound(f"no ontology {ontology!r}; see: smartdb classes")
    return int(rows[0]["project_id"])


def change(conn: psycopg.Connection[Any], name: str, **changes: Any) -> None:
    """Changes what `create` was given, but the name, the ontology and the kinds.

    A new overlap, share of gold or weight of waiting counts for what is asked from now on.
    """
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise InvalidInput(f"cannot change {', '.join(sorted(unknown))}; make another project")
    if "predicate" in changes:
        predicates.checked(conn, changes["predicate"])
    found = find(conn, name)
    values = {key: changes.get(key, getattr(found, key)) for key in CHANGEABLE}
    _execute(conn, "change", {**values, "project_id": found.project_id})


def close(conn: psycopg.Connection[Any], name: str, *, is_closed: bool = True) -> None:
    """Closes a project (nothing more is claimed, what is leased may be answered), or opens it."""
    found = find(conn, name)
    _execute(conn, "close", {"project_id": found.project_id, "is_closed": is_closed})


def find(conn: psycopg.Connection[Any], name: str) -> Project:
    """One project; NotFound if there is none."""
    for found in projects(conn):
        if found.project == name:
            return found
    raise NotFound(f"no project {name!r}; see: smartdb project list")


def projects(conn: psycopg.Connection[Any]) -> list[Project]:
    """All projects, by name."""
    with translated(), conn.cursor(row_factory=class_row(Project)) as cursor:
        return cursor.execute(statement("projects", "list")).fetchall()


def progress(conn: psycopg.Connection[Any], project: str | None = None) -> list[dict[str, Any]]:
    """Rows of smartdb.project_progress, by name."""
    return _rows(conn, "progress", {"project": project})


def throughput(conn: psycopg.Connection[Any], project: str | None = None) -> list[dict[str, Any]]:
    """Rows of smartdb.project_throughput, by project, who did most first."""
    return _rows(conn, "throughput", {"project": project})


def _execute(conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]) -> None:
    with translated():
        conn.execute(statement("projects", name), values)


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    with translated(), conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement("projects", name), values).fetchall()
