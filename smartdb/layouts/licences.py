"""The licences of the pictures of an export."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb.errors import translated
from smartdb.statements import statement


def licences(conn: psycopg.Connection[Any]) -> list[str | None]:
    """Those of the sources that the staged media lie in, in order; None is one that states none."""
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        found = [name for (name,) in cursor.execute(statement("exports", "licences"))]
    conn.commit()
    return found
