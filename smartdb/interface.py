"""The interface (database schema ``smartdb``): views, functions and grants, rebuilt as a whole.

What the interface should be is written once, in ``schema/interface/*.sql``. A rebuild drops it and
makes it again, in the caller's transaction, and leaves a stamp, so that `is_current` is one select.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

import smartdb
from smartdb import config
from smartdb.errors import Conflict, DatabaseError, SmartdbError, from_driver
from smartdb.statements import statement

GRANTS = "90_grants.sql"


def is_current(conn: psycopg.Connection[Any]) -> bool:
    """Whether the database has the schema and interface of exactly this code; any role may ask."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(statement("interface", "stamp")).fetchone()
    return row is not None and row[0] == stamp()


@cache
def stamp() -> str:
    """What a rebuild by this code leaves as the comment of schema smartdb."""
    digest = sha256()
    for path in (*_files(), *sorted((config.folder("migrations") / "versions").glob("*.*"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"The interface of smartdb {smartdb.__version__}, built from {digest.hexdigest()[:16]}."


def rebuild_interface(conn: psycopg.Connection[Any]) -> None:
    """Drops everything in schema smartdb and makes it again, in the caller's transaction.

    The rest of the transaction runs as smartdb_owner. Conflict names the views and functions of
    others that hang on ours, if there are any; then nothing was changed.
    """
    drop_interface(conn)
    build_interface(conn)


def drop_interface(conn: psycopg.Connection[Any]) -> None:
    """The first half: also migrations need it, since views hold the columns they show."""
    conn.execute("set local role smartdb_owner")
    refuse_dependents(conn)
    for drop in _column(conn, "objects"):
        conn.execute(drop.encode())


def build_interface(conn: psycopg.Connection[Any]) -> None:
    """The second half: everything in schema/interface, grants last, then the stamp."""
    conn.execute("set local role smartdb_owner")
    conn.execute("set local search_path = public")
    conn.execute("select '[1]'::vector")  # loads pgvector, or its hnsw.… settings are unknown
    for path in _files():
        if path.name != GRANTS:
            run_file(conn, path)
    conn.execute(statement("interface", "encoders"))
    run_file(conn, config.folder("schema") / "interface" / GRANTS)
    conn.execute(sql.SQL("comment on schema smartdb is {}").format(stamp()))


def refuse_dependents(conn: psycopg.Connection[Any]) -> None:
    """Raises Conflict, naming them, if objects outside schema smartdb hang on the interface."""
    found = _column(conn, "dependents")
    if found:
        raise Conflict(
            f"the interface cannot be rebuilt: {', '.join(found)} depend on it; "
            "drop them, run: smartdb init, and make them again"
        )


def run_file(conn: psycopg.Connection[Any], path: Path) -> None:
    """Runs a file of SQL; an error names the file and the line."""
    script = path.read_bytes()
    try:
        conn.execute(script)
    except psycopg.Error as error:
        raise _located(error, path, script.decode()) from error


def _located(error: psycopg.Error, path: Path, script: str) -> SmartdbError:
    kind, state = type(from_driver(error)), error.sqlstate or ""
    if state.startswith("42") and state != "42501":  # our own mistake, not an outdated schema
        kind = DatabaseError
    line = script[: int(error.diag.statement_position or 1) - 1].count("\n") + 1
    return kind(f"{path.name} line {line}: {error.diag.message_primary or error}")


def _files() -> list[Path]:
    return sorted((config.folder("schema") / "interface").glob("*.sql"))


def _column(conn: psycopg.Connection[Any], name: str) -> list[str]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return [row[0] for row in cursor.execute(statement("interface", name))]
