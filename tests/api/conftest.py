"""The app over the toy pictures of tests/sql/example.sql and a few real files.

The toys are media 1 to 12 (12 is restricted, and none has a file); the files below come after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from psycopg import sql
from smartdb.api import create_app

from smartdb import server
from smartdb.database import connect
from smartdb.ingest import ingest

TEMPLATE = "smartdb_api"
READ_ONLY = "smartdb_api_read"
EXAMPLE = Path(__file__).parents[1] / "sql" / "example.sql"


@dataclass(frozen=True)
class Pictures:
    """Files that were ingested, and the media they became."""

    folder: Path
    media: dict[str, int]


@pytest.fixture(scope="session")
def furnished(
    server_home: Path, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Pictures:
    """Makes the database that each test gets a copy of, and the files."""
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {}")
        admin.execute(copy.format(sql.Identifier(TEMPLATE), sql.Identifier(template)))
    url = server.url(server_home, TEMPLATE)
    with psycopg.connect(url) as conn:
        conn.execute("set role smartdb_owner")
        conn.execute(EXAMPLE.read_bytes())
    folder = tmp_path_factory.mktemp("pictures")
    _draw(folder)
    with connect(url) as conn:
        ingest(conn, folder, source="files", workers=1)
        rows = conn.execute("select uri, media_id from smartdb.media where source = 'files'")
        media = {Path(unquote(uri)).name: media_id for uri, media_id in rows}
    return Pictures(folder, media)


@pytest.fixture(scope="session")
def shared_app(server_home: Path, furnished: Pictures) -> Iterator[Flask]:
    """The app over one copy of the database, for tests that change nothing."""
    with psycopg.connect(server.url(server_home, "postgres"), autocommit=True) as admin:
        copy = sql.SQL("create database {} template {}")
        admin.execute(copy.format(sql.Identifier(READ_ONLY), sql.Identifier(TEMPLATE)))
    made = create_app(server.url(server_home, READ_ONLY))
    yield made
    made.extensions["smartdb"].close()


@pytest.fixture
def client(shared_app: Flask) -> FlaskClient:
    """A client for tests that change nothing."""
    return shared_app.test_client()


@pytest.fixture
def url(furnished: Pictures, databases: Any) -> str:
    """The url of a copy of the database of this test's own."""
    return str(databases.copy(TEMPLATE))


@pytest.fixture
def app(url: str) -> Iterator[Flask]:
    """The app over that copy."""
    made = create_app(url)
    yield made
    made.extensions["smartdb"].close()


@pytest.fixture
def own(app: Flask) -> FlaskClient:
    """A client of that app."""
    return app.test_client()


@pytest.fixture
def run_sql(url: str) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs a statement on that copy as the owner and returns its rows, if it has any."""

    def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("set role smartdb_owner")
            cursor = conn.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    return run


def _draw(folder: Path) -> None:
    """A lying-down JPEG with a position in its EXIF and a comment, a PNG with alpha, a TIFF."""
    wide = Image.linear_gradient("L").resize((120, 80)).convert("RGB")
    wide.paste((200, 30, 30), (10, 10, 50, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    wide.save(folder / "lying.jpg", exif=exif, comment=b"secret comment", quality=95)
    Image.new("RGBA", (40, 30), (0, 200, 0, 128)).save(folder / "clear.png")
    Image.effect_noise((64, 48), 60).convert("RGB").save(folder / "noise.tif")
    (folder / "name with 'quotes' & ünï.png").write_bytes(_dot((9, 9, 200)))


def _dot(colour: tuple[int, int, int]) -> bytes:
    import io

    buffer = io.BytesIO()
    Image.new("RGB", (20, 20), colour).save(buffer, "PNG")
    return buffer.getvalue()
