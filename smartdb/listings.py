"""Listings: what a run finds at a place, compared with what the database knows of it.

Each page of a listing goes to the server, which tells the state of each file and notes its name in
a temporary table; so the memory of the client does not grow with the number of files, and in the
end the server knows which files the listing lacked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from smartdb.errors import translated
from smartdb.statements import statement
from smartdb.walk import Found

PAGE = 5000
"""Files that are compared at once."""


def begin(conn: psycopg.Connection[Any]) -> None:
    """Forgets the listing before."""
    with translated(), conn.transaction():
        conn.execute(statement("listing", "begin"))


def states(
    conn: psycopg.Connection[Any], source_id: int, page: Sequence[Found], *, manage: bool = False
) -> list[str]:
    """Notes files as listed, and returns what is known of each.

    ``new``, ``changed`` (of another size or version), ``known``, ``refused`` (as it is now), or
    ``unkept``: known, without a copy in the managed store, which only ``manage`` asks for.
    """
    values = {
        "source_id": source_id,
        "manage": manage,
        "uris": _lines(found.uri for found in page),
        "n_bytes": _lines(found.n_bytes for found in page),
        "modified_at": _lines(found.modified_at for found in page),
        "etags": _lines(found.etag for found in page),
    }
    with translated(), conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
        return [row[0] for row in cursor.execute(statement("listing", "state"), values)]


def finish(conn: psycopg.Connection[Any], source_id: int, run_id: int, root: str) -> Counter[str]:
    """Marks what the listing of ``root`` lacked, and unmarks what it has again; commits.

    Returns how many files are ``missing`` now, and how many only ``moved``: the run read their
    bytes at another place. Nothing is marked below a folder that could not be listed, nor what
    was read since the run began, nor managed copies.
    """
    values = {"source_id": source_id, "run_id": run_id, "root": root}
    counts: Counter[str] = Counter(missing=0, moved=0)
    with translated(), conn.cursor(row_factory=tuple_row) as cursor:
        with conn.transaction():
            cursor.execute(statement("listing", "compare"), values)
        while row := _step(conn, cursor, "mark", values):
            counts += Counter(missing=row[0], moved=row[1])
        while _step(conn, cursor, "unmark", values):
            pass
    return counts


def is_known(conn: psycopg.Connection[Any], source: str, root: str) -> bool:
    """Whether the source of this name has files below ``root``."""
    values = {"source": source, "root": root}
    with translated(), conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("listing", "is_known"), values).fetchone()
    assert row is not None
    return bool(row[0])


def _lines(values: Iterable[object]) -> str:
    """One value a line, None as an empty one; none has lines itself, URIs least of all."""
    return "\n".join("" if value is None else str(value) for value in values)


def _step(
    conn: psycopg.Connection[Any], cursor: psycopg.Cursor[Any], name: str, values: dict[str, Any]
) -> tuple[Any, ...] | None:
    with conn.transaction():
        row: tuple[Any, ...] | None = cursor.execute(statement("listing", name), values).fetchone()
    return row
