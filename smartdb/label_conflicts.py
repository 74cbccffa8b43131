"""Label conflicts: labels that cannot all be right, without any model.

``conflicting``: an importer puts the same bytes in several classes. ``twins_differ``:
near-duplicates count as different classes. A decided issue is never opened again for the same
label.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb import tasks
from smartdb.errors import translated
from smartdb.statements import statement


def find_conflicting(conn: psycopg.Connection[Any], run_id: int) -> int:
    """Suspects the labels of media that one importer puts in several classes; returns how many.

    Issues of conflicts that are over are dropped. The caller owns the transaction.
    """
    return _find(conn, run_id, "drop_settled_conflicts", "add_conflicting")


def find_twins(conn: psycopg.Connection[Any], run_id: int) -> int:
    """Suspects the labels of near-duplicates that count as different classes; returns how many.

    The rarer the class in its group, the higher the score. Issues of groups that agree by now are
    dropped. The caller owns the transaction.
    """
    return _find(conn, run_id, "drop_settled_twins", "add_twins")


def _find(conn: psycopg.Connection[Any], run_id: int, drop: str, add: str) -> int:
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(statement("label_conflicts", drop))
        settled = [label_id for (label_id,) in cursor]
        cursor.execute(statement("label_conflicts", add), {"run_id": run_id})
        n = sum(bool(is_new) for (is_new,) in cursor)
        if settled:
            tasks.withdraw(conn, settled)
    return n
