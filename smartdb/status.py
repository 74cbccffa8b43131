"""What is in the database, on which server, and what ran last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from smartdb.statements import statement


@dataclass(frozen=True)
class LastRun:
    """A run, as `smartdb status` shows it."""

    run_id: int
    kind: str
    status: str
    started_at: datetime
    seconds: float | None
    counts: dict[str, Any]
    error: str | None


@dataclass(frozen=True)
class Status:
    """Versions, size in bytes, number of the main things, newest runs first."""

    postgres: str
    pgvector: str
    n_bytes: int
    counts: dict[str, int]
    last_runs: list[LastRun]


def status(conn: psycopg.Connection[Any], n_runs: int = 5) -> Status:
    """The status of the database; any reader may ask."""
    with conn.cursor(row_factory=dict_row) as cursor:
        server = cursor.execute(statement("status", "server")).fetchone()
        assert server is not None
        counts = {row["what"]: row["n"] for row in cursor.execute(statement("status", "counts"))}
    with conn.cursor(row_factory=class_row(LastRun)) as cursor:
        runs = cursor.execute(statement("status", "last_runs"), {"n": n_runs}).fetchall()
    return Status(**server, counts=counts, last_runs=runs)


def invalid_indexes(conn: psycopg.Connection[Any]) -> list[str]:
    """Qualified names of indexes that are there but not used, because their build did not end."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return [row["index"] for row in cursor.execute(statement("status", "invalid_indexes"))]


def setting(conn: psycopg.Connection[Any], name: str) -> str:
    """A setting of the server, for instance ``128MB``."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("status", "setting"), {"name": name}).fetchone()
    assert row is not None
    return str(row["current_setting"])
