"""Migration of labels to the newest version of their ontology, by the rules of its versions.

A label keeps its object, actor, origin and task; its new row names the run that wrote it. What no
rule fits, or what would not be allowed, stays live as it is and is listed (`smartdb.label_unfit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import class_row, tuple_row

from smartdb import ontology_changes
from smartdb.errors import translated
from smartdb.runs import run
from smartdb.statements import statement


@dataclass(frozen=True)
class Moved:
    """How many labels of a class became what; ``n_double``: their actor said that already."""

    was: str
    became: str
    n: int
    n_double: int


@dataclass(frozen=True)
class Problem:
    """Why labels of a class stay as they are, how many, and the first of them."""

    class_: str
    problem: str
    n: int
    label_id: int


@dataclass(frozen=True)
class Unfit:
    """A live label that the newest version of its ontology would not take."""

    label_id: int
    media_id: int
    class_: str
    problem: str


@dataclass(frozen=True)
class Migration:
    """What became of the labels; ``run_id`` is None if it was only looked at."""

    version: int
    moved: tuple[Moved, ...]
    problems: tuple[Problem, ...]
    n_tasks: int
    run_id: int | None


def migrate(conn: psycopg.Connection[Any], ontology: str, *, open_tasks: bool = False) -> Migration:
    """Moves all live labels to the newest version of their ontology, and commits. Safe to repeat.

    With ``open_tasks`` each label that is unfit after that gets a review task. Labels of media that
    this role may not see are left; they move when it sees them. NotFound for an unknown ontology.
    """
    version = ontology_changes.newest(conn, ontology)
    conn.commit()
    parameters = {"ontology": ontology, "version": version}
    with translated(), run(conn, "migrate_labels", parameters) as opened:
        _prepare(conn, ontology)
        moved, problems = _report(conn)
        for step in ("close", "open", "follow", "move_tasks", "move_issues", "move_gold"):
            _execute(conn, step, {"run_id": opened.run_id})
        _move_vectors(conn)
        n_tasks = _execute(conn, "open_tasks", {"ontology": ontology}) if open_tasks else 0
        opened.counts.update(
            moved=sum(each.n for each in moved),
            doubles=sum(each.n_double for each in moved),
            unmapped=sum(each.n for each in problems),
            tasks=n_tasks,
        )
    return Migration(version, moved, problems, n_tasks, opened.run_id)


def preview(conn: psycopg.Connection[Any], ontology: str) -> Migration:
    """What `migrate` would do; nothing is written."""
    version = ontology_changes.newest(conn, ontology)
    with translated(), conn.transaction(force_rollback=True):
        _prepare(conn, ontology)
        moved, problems = _report(conn)
    return Migration(version, moved, problems, 0, None)


def unfit(conn: psycopg.Connection[Any], ontology: str, n: int = 50) -> list[Unfit]:
    """The first live labels that the newest version would not take, and why."""
    ontology_changes.newest(conn, ontology)
    return [Unfit(*row) for row in _rows(conn, "unfit", {"ontology": ontology, "n": n})]


def _prepare(conn: psycopg.Connection[Any], ontology: str) -> None:
    """Works out in a temporary table what each label becomes: each step is one statement."""
    values = {"ontology": ontology}
    _execute(conn, "stage")
    _execute(conn, "find", values)
    _execute(conn, "analyze")
    for (version,) in _rows(conn, "versions", values):
        _execute(conn, "apply", values | {"version": version})
    for step in ("judge", "leave", "match"):
        _execute(conn, step)


def _move_vectors(conn: psycopg.Connection[Any]) -> None:
    """Regions that only changed their class keep the vectors they have."""
    for (encoder_id,) in _rows(conn, "encoders"):
        vectors = sql.Identifier("core", f"region_embedding_{encoder_id}")
        conn.execute(statement("label_migration", "move_vectors").format(vectors=vectors))


def _report(conn: psycopg.Connection[Any]) -> tuple[tuple[Moved, ...], tuple[Problem, ...]]:
    with conn.cursor(row_factory=class_row(Moved)) as cursor:
        moved = tuple(cursor.execute(statement("label_migration", "moved")))
    return moved, tuple(Problem(*row) for row in _rows(conn, "problems"))


def _execute(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None
) -> int:
    return conn.execute(statement("label_migration", name), values).rowcount


def _rows(
    conn: psycopg.Connection[Any], name: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("label_migration", name), values).fetchall()
