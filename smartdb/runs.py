"""Runs: every job that derives rows leaves one row in ``core.run`` that says how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

import smartdb
from smartdb.statements import statement

LOCK_SPACE = 7360403
"""First key of the advisory locks (LOCK_SPACE, run_id) that running jobs hold."""

KILLED = "its process ended without a word (killed, or lost its connection)"

dagster_run_id: ContextVar[str | None] = ContextVar("dagster_run_id", default=None)
"""The Dagster run that is materialising, set by ``pipelines``."""


@dataclass(frozen=True)
class Run:
    """An open run: its id, and the numbers it will be closed with."""

    run_id: int
    counts: dict[str, Any] = field(default_factory=dict)


@contextmanager
def run(
    conn: psycopg.Connection[Any],
    kind: str,
    parameters: Mapping[str, Any] | None = None,
    seed: int | None = None,
    *,
    dagster_run: str | None = None,
) -> Iterator[Run]:
    """Records the body as a run. It commits: the open run at the start, the body's work at the end.

    When the body raises, what it had not committed is rolled back, the run is closed as failed
    with the message, and the error goes on. Earlier runs of this kind whose process is gone are
    closed as failed. Must not be used inside ``conn.transaction()``.
    """
    opened = _start(conn, kind, parameters or {}, seed, dagster_run or dagster_run_id.get())
    try:
        yield opened
        _finish(conn, opened, "succeeded", None)
    except BaseException as error:
        _fail(conn, opened, error)
        raise
    finally:
        _unlock(conn, opened)


def last(
    conn: psycopg.Connection[Any],
    kind: str,
    parameters: Mapping[str, Any],
    seed: int | None = None,
) -> tuple[int, dict[str, Any]] | None:
    """Id and counts of the last successful run of a kind with exactly these settings, if any."""
    values = {"kind": kind, "parameters": Jsonb(dict(parameters)), "seed": seed}
    values["code_version"] = smartdb.__version__
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("run", "last"), values).fetchone()
    return None if row is None else (int(row[0]), row[1])


def dead(conn: psycopg.Connection[Any], kind: str | None = None) -> list[int]:
    """Ids of runs that are still marked running although their process is gone."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement("run", "dead"), {"kind": kind, "space": LOCK_SPACE})
        return [row[0] for row in cursor]


def fail_dead(conn: psycopg.Connection[Any], kind: str | None = None) -> list[int]:
    """Marks the runs of `dead` failed and returns their ids."""
    found = dead(conn, kind)
    if not found:
        return []
    with conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement("run", "fail"), {"run_ids": found, "error": KILLED})
        return sorted(row[0] for row in cursor)


def _start(
    conn: psycopg.Connection[Any],
    kind: str,
    parameters: Mapping[str, Any],
    seed: int | None,
    dagster_run: str | None,
) -> Run:
    fail_dead(conn, kind)
    values = {
        "kind": kind,
        "code_version": smartdb.__version__,
        "parameters": _json(parameters),
        "seed": seed,
        "dagster_run_id": dagster_run,
    }
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("run", "start"), values).fetchone()
        assert row is not None
        cursor.execute(statement("run", "lock"), {"space": LOCK_SPACE, "run_id": row[0]})
    conn.commit()  # the lock was taken first: who sees the row sees the lock
    return Run(row[0])


def _finish(conn: psycopg.Connection[Any], opened: Run, status: str, error: str | None) -> None:
    values = {
        "run_id": opened.run_id,
        "status": status,
        "counts": _json(opened.counts),
        "error": error,
    }
    conn.execute(statement("run", "finish"), values)
    conn.commit()


def _fail(conn: psycopg.Connection[Any], opened: Run, error: BaseException) -> None:
    """Closes the run as failed; if the connection is lost, the next run of its kind does it."""
    try:
        conn.rollback()
        _finish(conn, opened, "failed", str(error) or type(error).__name__)
    except psycopg.OperationalError:
        pass


def _unlock(conn: psycopg.Connection[Any], opened: Run) -> None:
    try:
        conn.execute(statement("run", "unlock"), {"space": LOCK_SPACE, "run_id": opened.run_id})
        conn.commit()
    except psycopg.OperationalError:  # the connection is lost, and the lock with it
        pass


def _json(value: Mapping[str, Any]) -> Jsonb:
    return Jsonb(dict(value), dumps=lambda plain: json.dumps(plain, default=_plain))


def _plain(value: Any) -> Any:
    """Numbers of NumPy as numbers, anything else (paths, times) as text."""
    return value.item() if hasattr(value, "item") else str(value)
