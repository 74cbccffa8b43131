"""What a database's catalogue says about our schemas, so that two of them can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb.statements import names, statement


def fingerprint(
    conn: psycopg.Connection[Any], schemas: Sequence[str] = ("core", "smartdb")
) -> dict[str, str]:
    """What each object is called, as in ``column core.media.sha256``, and what it is.

    Covers owners, privileges, comments, columns, constraints, indexes, views, routines, triggers,
    policies, sequences and types; not the order of columns, and no row of any table.
    """
    found: dict[str, str] = {}
    with conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("select set_config('search_path', 'public', true)")
        for kind in names("fingerprint"):
            cursor.execute(statement("fingerprint", kind), {"schemas": list(schemas)})
            found |= {f"{kind} {name}": definition for name, definition in cursor}
    return found


def difference(have: Mapping[str, str], want: Mapping[str, str]) -> list[str]:
    """One line for each object that is not in ``have`` as it is in ``want``; empty if none."""
    lines = []
    for name in sorted(have.keys() | want.keys()):
        if name not in have:
            lines.append(f"missing {name}: {want[name]}")
        elif name not in want:
            lines.append(f"not wanted {name}: {have[name]}")
        elif have[name] != want[name]:
            lines.append(f"other {name}: {have[name]}, should be: {want[name]}")
    return lines
