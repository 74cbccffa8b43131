"""The toy pictures of example.sql, made once, copied for each test that asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from smartdb import server

TEMPLATE = "smartdb_example"


@pytest.fixture(scope="session")
def example_template(server_home: Path, template: str) -> str:
    """The name of a database with the toy pictures, which is only ever copied."""
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {}")
        admin.execute(copy.format(sql.Identifier(TEMPLATE), sql.Identifier(template)))
    with psycopg.connect(server.url(server_home, TEMPLATE)) as conn:
        conn.execute("set role smartdb_owner")
        conn.execute("set search_path = public")
        conn.execute((Path(__file__).parent / "example.sql").read_bytes())
    return TEMPLATE


@pytest.fixture
def example_read(server_home: Path, example_template: str) -> str:
    """The url of the toy pictures themselves, for tests that change nothing."""
    return server.url(server_home, example_template)


@pytest.fixture
def example_url(example_template: str, databases: Any) -> str:
    """The url of a copy of the toy pictures."""
    return str(databases.copy(example_template))
