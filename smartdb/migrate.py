"""Brings a database to the schema of this code: roles, extension, migrations, interface.

What developers type, also as make targets:

    python -m smartdb.migrate upgrade            what smartdb init does
    python -m smartdb.migrate revision -m "..."  drafts the next step from schema/core
    python -m smartdb.migrate baseline           writes the first step from schema/core
"""

from __future__ import annotations

import io
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import tuple_row

import smartdb
from smartdb import config
from smartdb.bootstrap import prepare
from smartdb.database import open_connection
from smartdb.errors import Conflict, DatabaseError, SchemaOutdated, SmartdbError, translated
from smartdb.interface import is_current, rebuild_interface, run_file, stamp
from smartdb.statements import statement

if TYPE_CHECKING:
    import alembic.config
    import sqlalchemy

__all__ = [
    "apply_core",
    "is_current",
    "prepare",
    "rebuild_interface",
    "refuse_downgrade",
    "stamp",
    "upgrade",
]

LOCK_TIMEOUT = "10s"
"""How long an upgrade lets others wait behind it."""


def upgrade(url: str) -> None:
    """Creates or upgrades the schema of the database, in one transaction; safe to run again.

    The login role needs CREATEROLE the first time, and CREATE on the database. Raises what is
    missing (AccessDenied, ExtensionMissing, DatabaseTooOld), SchemaOutdated when the database is
    newer than this code, Conflict when views of others hang on the interface, or when somebody's
    open transaction keeps it from being changed.
    """
    from alembic import command

    try:
        with translated(), session(url) as bound, bound.begin():
            prepare(driver(bound))
            _refuse_unknown(driver(bound))
            command.upgrade(settings(bound), "head")
    except DatabaseError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise _in_use() from error
        raise


def apply_core(conn: psycopg.Connection[Any]) -> None:
    """Runs schema/core/*.sql in name order, in a prepared database: what migrations lead to."""
    for path in core_files():
        run_file(conn, path)


def core_files() -> list[Path]:
    """The files of schema/core in the order they run."""
    return sorted((config.folder("schema") / "core").glob("*.sql"))


def baseline_file() -> Path:
    """The frozen SQL of the first migration."""
    return config.folder("migrations") / "versions" / "0001_baseline.sql"


def baseline_stamp() -> str:
    """What the first migration leaves as the comment of schema core."""
    digest = sha256(baseline_file().read_bytes()).hexdigest()[:16]
    return f"Tables of smartdb, which schema smartdb shows. Begun at baseline {digest}."


def revisions() -> list[str]:
    """The migrations of this code in order: file names begin with the revision."""
    files = sorted((config.folder("migrations") / "versions").glob("*.py"))
    return [path.name.split("_")[0] for path in files]


def refuse_downgrade() -> None:
    """The downgrade of every migration."""
    raise SmartdbError(
        "smartdb does not downgrade, because a step back would lose data; "
        "restore the backup made before the upgrade"
    )


@contextmanager
def session(url: str) -> Iterator[sqlalchemy.Connection]:
    """A connection for alembic; errors come as the driver's own."""
    import sqlalchemy

    conn = open_connection(url)
    conn.autocommit = False
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: conn, poolclass=sqlalchemy.NullPool
    )
    try:
        with engine.connect() as bound:
            yield bound
    except sqlalchemy.exc.DBAPIError as error:
        raise error.orig or error from error
    finally:
        conn.close()


def driver(bound: sqlalchemy.Connection) -> psycopg.Connection[Any]:
    """The psycopg connection below; SQL files go through it, since SQLAlchemy reads their ``%``."""
    below = bound.connection.driver_connection
    assert isinstance(below, psycopg.Connection)
    return below


def settings(bound: sqlalchemy.Connection, **attributes: object) -> alembic.config.Config:
    """Alembic's settings, without a file, for work on this connection."""
    from alembic.config import Config

    made = Config(stdout=io.StringIO(), cmd_opts=Namespace(quiet=True))
    made.set_main_option("script_location", str(config.folder("migrations")).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes.update(connection=bound, **attributes)
    return made


def _in_use() -> Conflict:
    return Conflict(
        f"the database is in use: no lock within {LOCK_TIMEOUT}, so nothing was changed; "
        "run it again when queries that have been open for long are done"
    )


def _refuse_unknown(conn: psycopg.Connection[Any]) -> None:
    """Raises SchemaOutdated if the tables were made by code that this one does not know."""
    begun, comment = _row(conn, "at") or (False, None)
    row = _row(conn, "revision") if begun else None
    if row is None:
        return
    if row[0] not in revisions():
        raise SchemaOutdated(
            f"the database is at revision {row[0]}, newer than revision {revisions()[-1]} of "
            f"smartdb {smartdb.__version__}; install the smartdb that upgraded it, or a later one"
        )
    if comment != baseline_stamp():
        raise SchemaOutdated(
            "the database was made by an unreleased smartdb whose tables have changed since; "
            "make it anew: drop it (smartdb down --delete), then run: smartdb init"
        )


def _row(conn: psycopg.Connection[Any], name: str) -> tuple[Any, ...] | None:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement("migrate", name)).fetchone()


if __name__ == "__main__":
    from smartdb.draft import main

    main()
