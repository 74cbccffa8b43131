"""Revisions: marks in the order of all that was said, at which history can be read."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb.errors import translated
from smartdb.statements import statement


def checkpoint(conn: psycopg.Connection[Any]) -> int:
    """A revision that never moves: labels live at it never change any more.

    Writers wait until its transaction ends, which is one of its own where none is open: commit
    what was begun before.
    """
    with translated(), conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("revisions", "checkpoint")).fetchone()
    assert row is not None
    return int(row[0])
